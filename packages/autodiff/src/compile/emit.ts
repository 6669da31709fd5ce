import type { Kernels } from "../kernels/contract.ts";
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
  const imports: Import[] = [];
  const env: Record<string, WebAssembly.ImportValue> = {};
  const indices = new Map<unknown, number>();
  const importOf = ({ kernel, signature }: Call, { run, trailing }: Linked): number => {
    const known = indices.get(run);
    if (known !== undefined) return known;
    const params = [...signature].map((letter) => (letter === "s" ? scalarType(kernel) : type.i32));
    const t: FunctionType = { params: [...params, ...trailing.map(() => type.i32)], results: [] };
    const index = imports.length;
    const name = `${kernel} ${index}`;
    imports.push({ name, type: t });
    env[name] = run;
    indices.set(run, index);
    return index;
  };
  const bodies: Bytes[] = Array.from({ length: phases }, () => []);
  for (const call of program.calls) {
    const body = bodies[call.phase]!;
    const put = (bytes: Bytes): void => {
      for (const byte of bytes) body.push(byte);
    };
    const link = linked(kernels, call);
    const index = importOf(call, link);
    for (const [i, value] of call.args.entries()) {
      const letter = call.signature[i]!;
      if (isPointer(letter)) put(address(program, layout, places, call.buffers[i]!, value));
      else if (letter === "s")
        put(scalarType(call.kernel) === type.f64 ? op.f64(value) : op.f32(value));
      else put(op.i32(value));
    }
    for (const value of link.trailing) put(op.i32(value));
    put(op.call(index));
  }
  const runs = bodies.map((body, phase) => {
    return { name: nameOfRun(phase), type: { params: [], results: [] }, locals: [], body };
  });
  return { module: moduleOf(imports, runs), env };
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

/** A function behind a kernel, and what it takes besides. */
type Linked = NonNullable<ReturnType<NonNullable<Kernels["linkable"]>>>;

function linked(kernels: Kernels, { kernel, args }: Call): Linked {
  const [family, name] = kernel.split(".") as [keyof Kernels, string];
  const direct = kernels.linkable?.(family, name, args);
  if (direct !== undefined) return direct;
  const run = (kernels[family] as unknown as Record<string, Linked["run"]>)[name]!;
  return { run, trailing: [] };
}
