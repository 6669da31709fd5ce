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

/** Where a program finds the addresses of its inputs, then of its outputs, and its temporaries. */
export interface Places {
  readonly table: number;
  readonly arena: number;
  readonly inputs: number;
}

/** A program as one WebAssembly function that calls kernels, so that a run costs JavaScript one call. */
export function emit(
  program: Program,
  layout: Layout,
  places: Places,
  kernels: Kernels,
): { module: Uint8Array<ArrayBuffer>; env: Record<string, WebAssembly.ImportValue> } {
  const imports: Import[] = [];
  const env: Record<string, WebAssembly.ImportValue> = {};
  const indices = new Map<string, number>();
  const importOf = ({ kernel, signature }: Call): number => {
    const known = indices.get(kernel);
    if (known !== undefined) return known;
    const { run, trailing } = linked(kernels, kernel);
    const params = [...signature].map((letter) => (letter === "s" ? scalarType(kernel) : type.i32));
    const t: FunctionType = { params: [...params, ...trailing.map(() => type.i32)], results: [] };
    imports.push({ name: kernel, type: t });
    env[kernel] = run;
    indices.set(kernel, imports.length - 1);
    return imports.length - 1;
  };
  const body: Bytes = [];
  const put = (bytes: Bytes): void => {
    for (const byte of bytes) body.push(byte);
  };
  for (const call of program.calls) {
    const index = importOf(call);
    for (const [i, value] of call.args.entries()) {
      const letter = call.signature[i]!;
      if (isPointer(letter)) put(address(program, layout, places, call.buffers[i]!, value));
      else if (letter === "s")
        put(scalarType(call.kernel) === type.f64 ? op.f64(value) : op.f32(value));
      else put(op.i32(value));
    }
    for (const value of linked(kernels, call.kernel).trailing) put(op.i32(value));
    put(op.call(index));
  }
  const run = { name: "run", type: { params: [], results: [] }, locals: [], body };
  return { module: moduleOf(imports, [run]), env };
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
  const { kind, index } = buffers[buffer]!;
  if (kind === "temporary") return op.i32(places.arena + layout.offsets[buffer]! + offset);
  const slot = kind === "input" ? index : places.inputs + index;
  const base = op.i32LoadAt(places.table + 4 * slot);
  return offset === 0 ? base : [...base, ...op.i32(offset), ...op.i32Add];
}

/** The function behind a kernel's name, and what it takes besides. */
function linked(
  kernels: Kernels,
  kernel: string,
): { run: (...args: number[]) => unknown; trailing: readonly number[] } {
  const [family, name] = kernel.split(".") as [keyof Kernels, string];
  const direct = kernels.linkable?.(family, name);
  if (direct !== undefined) return direct;
  const run = (kernels[family] as unknown as Record<string, (...args: number[]) => unknown>)[name]!;
  return { run, trailing: [] };
}
