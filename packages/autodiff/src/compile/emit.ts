import { type Kernels, scaledNames } from "../kernels/contract.ts";
import {
  type Bytes,
  type FunctionType,
  type Import,
  moduleOf,
  op,
  type,
  type ValueType,
} from "./assembler.ts";
import type { Layout } from "./layout.ts";
import { codeOf } from "./loop.ts";
import type { Call, Program } from "./program.ts";
import { isPointer } from "./trace.ts";

/** Where a program finds the caller's addresses (after them, that of the record), and its temporaries. */
export interface Places {
  readonly table: number;
  readonly arena: number;
  /** The entry of the table that holds the address of the record. */
  readonly record: number;
}

/** The name of the function that is one run of a program. */
export function nameOfRun(phase: number): string {
  return `run${phase}`;
}

/** A program as WebAssembly, one function for each of its runs, which calls kernels: a run costs JavaScript one call. */
export function emit(
  program: Program,
  layout: Layout,
  places: Places,
  kernels: Kernels,
  phases: number,
): { module: Uint8Array<ArrayBuffer>; env: Record<string, WebAssembly.ImportValue> } {
  const imports = new Imports();
  const { calls, loops = [] } = program;
  const links = calls.map((call) => {
    if (call.kernel.startsWith("loop.")) return undefined;
    const { run, trailing } = linked(kernels, call);
    const params = [...call.signature].map((letter) =>
      letter === "s" ? scalarType(call.kernel) : letter === "d" ? type.f64 : type.i32,
    );
    const t = { params: [...params, ...trailing.map(() => type.i32)], results: [] };
    return { index: imports.indexOf(call.kernel, run, t), trailing };
  });
  const loopCode = loops.map((loop, i) =>
    codeOf(loop, `loop${i}`, (code) => {
      const run = kernels.lanes!(loop.size === 4 ? "float32" : "float64", code)!;
      const params = takesNumber(code) ? [type.v128, type.v128] : [type.v128];
      return imports.indexOf(code, run, { params, results: [type.v128] });
    }),
  );
  const bodies: Bytes[] = Array.from({ length: phases }, () => []);
  for (const [at, call] of calls.entries()) {
    const body = bodies[call.phase]!;
    const put = (bytes: Bytes): void => {
      for (const byte of bytes) body.push(byte);
    };
    for (const [i, value] of call.args.entries()) {
      const letter = call.signature[i]!;
      if (isPointer(letter)) put(address(program, layout, places, call.buffers[i]!, value));
      else if (letter === "s")
        put(scalarType(call.kernel) === type.f64 ? op.f64(value) : op.f32(value));
      else put(letter === "d" ? op.f64(value) : op.i32(value));
    }
    const link = links[at];
    for (const value of link?.trailing ?? []) put(op.i32(value));
    put(op.call(link?.index ?? imports.list.length + Number(call.kernel.slice("loop.".length))));
  }
  const runs = bodies.map((body, phase) => {
    return { name: nameOfRun(phase), type: { params: [], results: [] }, locals: [], body };
  });
  return { module: moduleOf(imports.list, [...loopCode, ...runs]), env: imports.env };
}

/** What the module imports, each function once. */
class Imports {
  readonly list: Import[] = [];
  readonly env: Record<string, WebAssembly.ImportValue> = {};
  readonly #indices = new Map<unknown, number>();

  indexOf(name: string, run: (...args: never[]) => unknown, functionType: FunctionType): number {
    const known = this.#indices.get(run);
    if (known !== undefined) return known;
    const index = this.list.length;
    const unique = `${name} ${index}`;
    this.list.push({ name: unique, type: functionType });
    this.env[unique] = run;
    this.#indices.set(run, index);
    return index;
  }
}

function scalarType(kernel: string): ValueType {
  return kernel.startsWith("float64") ? type.f64 : type.f32;
}

function address(
  { buffers }: Program,
  layout: Layout,
  places: Places,
  buffer: number,
  offset: number,
): Bytes {
  if (buffer < 0) return op.i32(offset);
  const { slot } = buffers[buffer]!;
  const isKept = layout.isKept[buffer]!;
  if (slot < 0 && !isKept) return op.i32(places.arena + layout.offsets[buffer]! + offset);
  const base = op.i32LoadAt(places.table + 4 * (slot < 0 ? places.record : slot));
  const from = slot < 0 ? layout.offsets[buffer]! + offset : offset;
  return from === 0 ? base : [...base, ...op.i32(from), ...op.i32Add];
}

/** Whether an element-wise function takes a number besides its operand. */
function takesNumber(code: string): boolean {
  return (scaledNames as readonly string[]).includes(code);
}

/** A function behind a kernel, and what it takes besides. */
type Linked = NonNullable<ReturnType<NonNullable<Kernels["linkable"]>>>;

function linked(kernels: Kernels, { kernel, args }: Call): Linked {
  const [family, name] = kernel.split(".") as [keyof Kernels, string];
  const direct = kernels.linkable?.(family, name, args);
  if (direct !== undefined) return direct;
  const run = (kernels[family] as unknown as Record<string, Linked["run"]>)[name]!;
  return { run, trailing: [] };
}
