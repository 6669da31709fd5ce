/** Bytes of a WebAssembly module that measures how fast multiply-adds can be. */

const code = {
  i32: 0x7f,
  f32: 0x7d,
  v128: 0x7b,
  loop: [0x03, 0x40],
  end: 0x0b,
  branchIf: [0x0d, 0x00],
  get: 0x20,
  set: 0x21,
  tee: 0x22,
  i32Const: 0x41,
  f32Const: 0x43,
  i32Sub: 0x6b,
  splat: [0xfd, 0x13],
  add: [0xfd, 0xe4, 0x01],
  mul: [0xfd, 0xe6, 0x01],
  relaxedMadd: [0xfd, 0x85, 0x02],
  extractLane0: [0xfd, 0x1f, 0x00],
} as const;

/** Unsigned LEB128. */
function unsigned(value: number): number[] {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return [...bytes, rest];
    bytes.push((rest & 0x7f) | 0x80);
  }
}

function section(id: number, ...content: number[]): number[] {
  return [id, ...unsigned(content.length), ...content];
}

/** `f32x4.splat` of a constant into a local. */
function splatInto(local: number, value: number): number[] {
  const bytes = new Uint8Array(new Float32Array([value]).buffer);
  return [code.f32Const, ...bytes, ...code.splat, code.set, local];
}

/**
 * `run(count: i32) -> f32`: `count` times one multiply-add on each of `accumulators` vectors, all
 * independent, with operands in registers. Returns a value that depends on all.
 */
function multiplyAdds(accumulators: number, relaxed: boolean): Uint8Array<ArrayBuffer> {
  const [x, y, first] = [1, 2, 3];
  const body = [...splatInto(x, 0.5), ...splatInto(y, 0.25)];
  for (let i = 0; i < accumulators; i++) body.push(...splatInto(first + i, i));
  body.push(...code.loop);
  for (let i = 0; i < accumulators; i++) {
    const [get, sum] = [code.get, first + i];
    // Accumulators contract to a fixed point, so that no number grows or becomes denormal.
    if (relaxed) body.push(get, sum, get, x, get, y, ...code.relaxedMadd, code.set, sum);
    else body.push(get, sum, get, x, ...code.mul, get, y, ...code.add, code.set, sum);
  }
  body.push(code.get, 0, code.i32Const, 1, code.i32Sub, code.tee, 0, ...code.branchIf, code.end);
  body.push(code.get, first);
  for (let i = 1; i < accumulators; i++) body.push(code.get, first + i, ...code.add);
  body.push(...code.extractLane0, code.end);
  const locals = [1, ...unsigned(accumulators + 2), code.v128];
  const content = [...locals, ...body];
  return Uint8Array.from([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, 1, 0x60, 1, code.i32, 1, code.f32),
    ...section(3, 1, 0),
    ...section(7, 1, 3, ...Buffer.from("run"), 0x00, 0),
    ...section(10, 1, ...unsigned(content.length), ...content),
  ]);
}

/**
 * A loop of multiply-adds: relaxed where the engine has them, and how many numbers one turn
 * computes.
 */
export interface Loop {
  readonly run: (count: number) => number;
  readonly flopsPerTurn: number;
  readonly relaxed: boolean;
}

export function multiplyAddLoop(accumulators: number): Loop {
  const relaxed = WebAssembly.validate(multiplyAdds(accumulators, true));
  const module = new WebAssembly.Module(multiplyAdds(accumulators, relaxed));
  const { run } = new WebAssembly.Instance(module).exports as { run: (count: number) => number };
  return { run, flopsPerTurn: 8 * accumulators, relaxed };
}
