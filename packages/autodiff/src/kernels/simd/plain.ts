/** Sections of a module that matter here. */
const [types, functions, code] = [1, 3, 10];
/**
 * By the second byte of three, the first is 0xfd, the last 2: f32x4.relaxed_madd,
 * f64x2.relaxed_madd, and what they become.
 */
const relaxedMadd: Readonly<Record<number, readonly [mul: number, add: number]>> = {
  133: [0xe6, 0xe4],
  135: [0xf2, 0xf0],
};

/** Unsigned LEB128; sizes that are known only later are written in five bytes. */
function leb(value: number, least = 1): number[] {
  return value < 128 && least <= 1
    ? [value]
    : [(value & 127) | 128, ...leb(value >>> 7, least - 1)];
}

/**
 * The kernel module for an engine without relaxed SIMD: every `relaxed_madd(a, b, c)` becomes
 * `add(mul(a, b), c)`, with `c` in one more local of the function. The build makes sure that no
 * constant looks like such an instruction.
 */
export function plainModule(module: Uint8Array): Uint8Array<ArrayBuffer> {
  // An instruction of three bytes becomes ten, or twelve with many locals.
  const result = new Uint8Array(4 * module.length);
  let from = 0;
  let to = 0;
  const read = (): number => {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[from++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  };
  const list = <T>(item: () => T): T[] => Array.from({ length: read() }, item);
  const write = (bytes: ArrayLike<number>): void => {
    result.set(bytes, to);
    to += bytes.length;
  };
  /** Takes over what lies before `end`. */
  const copy = (end: number): void => {
    write(module.subarray(from, end));
    from = end;
  };
  /** Writes a size and then what `content` writes, given where that ends in the module. */
  const sized = (content: (end: number) => void): void => {
    const end = read() + from;
    const start = to;
    to += 5;
    content(end);
    result.set(leb(to - start - 5, 5), start);
  };
  /** Parameters, by type; types, by function. */
  let params: number[] = [];
  let typeIndices: number[] = [];

  const body = (index: number): void =>
    sized((end) => {
      const groups = read();
      write(leb(groups + 1));
      const start = from;
      let local = params[typeIndices[index]!]!;
      for (let i = 0; i < groups; i++, from++) local += read();
      write(module.subarray(start, from));
      write([1, 0x7b]);
      for (let at = from; at < end; at++) {
        if (module[at] !== 0xfd || module[at + 2] !== 2) continue;
        const instead = relaxedMadd[module[at + 1]!];
        if (instead === undefined) continue;
        copy(at);
        // local.set, mul, local.get, add
        write([0x21, ...leb(local), 0xfd, instead[0], 1, 0x20, ...leb(local), 0xfd, instead[1], 1]);
        from += 3;
      }
      copy(end);
    });

  copy(8);
  while (from < module.length) {
    const id = module[from]!;
    copy(from + 1);
    sized((end) => {
      const start = from;
      if (id === types) {
        params = list(() => {
          from++;
          const { length } = list(() => from++);
          list(() => from++);
          return length;
        });
      } else if (id === functions) typeIndices = list(read);
      else if (id === code) {
        const count = read();
        write(leb(count));
        for (let i = 0; i < count; i++) body(i);
        return;
      }
      from = start;
      copy(end);
    });
  }
  return result.slice(0, to);
}
