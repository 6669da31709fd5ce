import { type Family, type Kernels, type Linkable, linkageOf } from "../kernels/contract.ts";
import { takesNumber } from "../kernels/elementwise.ts";
import { isPointer, type Kind } from "../kernels/signature.ts";
import { type Bytes, type FunctionType, type Import, moduleOf, op, type } from "./assembler.ts";
import { type Call, elementBytes, kernelOf, type Pointer } from "./call.ts";
import type { Layout } from "./layout.ts";
import { codeOf } from "./loop.ts";
import type { Program } from "./program.ts";

/**
 * Where a program finds the caller's addresses (after them, that of the record), and its
 * temporaries.
 */
export interface MemoryMap {
  readonly table: number;
  readonly arena: number;
  /** The slot of the table that holds the address of the record. */
  readonly record: number;
}

/** The name of the function that is one run of a program. */
export function nameOfRun(phase: number): string {
  return `run${phase}`;
}

/**
 * A program as WebAssembly, one function for each of its runs, which calls kernels: a run costs
 * JavaScript one call.
 */
export function emit(
  program: Program,
  layout: Layout,
  map: MemoryMap,
  kernels: Kernels,
  phases: number,
): { module: Uint8Array<ArrayBuffer>; env: Record<string, WebAssembly.ImportValue> } {
  const imports = new Imports();
  const { calls, loops = [] } = program;
  const links = calls.map((call) => {
    if (call.family === "loop") return undefined;
    const { run, trailing, pointer } = linked(kernels, call, imports);
    const params = call.signature.kinds.map((kind) =>
      isPointer(kind) ? pointer : typeOf(kind, call),
    );
    const t = { params: [...params, ...trailing.map(() => type.i32)], results: [] };
    return { index: imports.indexOf(kernelOf(call), run, t), trailing, pointer };
  });
  const loopCode = loops.map((loop, i) => {
    const family = loop.size === 4 ? "float32" : "float64";
    return codeOf(loop, `loop${i}`, {
      inline: (code) => kernels.linkage!.inline?.(family, code),
      indexOf(code) {
        const run = kernels.linkage!.lanes(family, code)!;
        const params = takesNumber(code) ? [type.v128, type.v128] : [type.v128];
        return imports.indexOf(code, run, { params, results: [type.v128] });
      },
    });
  });
  const bodies: Bytes[] = Array.from({ length: phases }, () => []);
  for (const [at, call] of calls.entries()) {
    const body = bodies[call.phase]!;
    const put = (bytes: Bytes): void => void body.push(...bytes);
    const link = links[at];
    for (const [i, value] of call.args.entries()) {
      const kind = call.signature.kinds[i]!;
      if (isPointer(kind)) {
        put(address(program, layout, map, { buffer: call.buffers[i]!, offset: value }));
        if (link?.pointer === type.f64) put(op.f64FromUnsigned);
      } else put(constants[typeOf(kind, call)](value));
    }
    for (const value of link?.trailing ?? []) put(op.i32(value));
    put(op.call(link?.index ?? imports.list.length + Number(call.name)));
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
  /** Of each function, whether it is WebAssembly: to find out is slow. */
  readonly #kinds = new Map<unknown, boolean>();

  isWebAssembly(run: Linkable["run"]): boolean {
    const known = this.#kinds.get(run) ?? isWebAssembly(run);
    this.#kinds.set(run, known);
    return known;
  }

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

/** The type of an argument in WebAssembly: pointers and whole numbers are i32. */
function typeOf(kind: Kind, call: Call): keyof typeof constants {
  if (kind === "f64") return type.f64;
  if (kind !== "real") return type.i32;
  return elementBytes(call) === 8 ? type.f64 : type.f32;
}
const constants = { [type.i32]: op.i32, [type.f32]: op.f32, [type.f64]: op.f64 };

function address(
  { buffers }: Program,
  layout: Layout,
  map: MemoryMap,
  { buffer, offset }: Pointer,
): Bytes {
  if (buffer < 0) return op.i32(offset);
  const { slot } = buffers[buffer]!;
  const isKept = layout.isKept[buffer]!;
  if (slot < 0 && !isKept) return op.i32(map.arena + layout.offsets[buffer]! + offset);
  const base = op.i32LoadAt(map.table + 4 * (slot < 0 ? map.record : slot));
  const from = slot < 0 ? layout.offsets[buffer]! + offset : offset;
  return from === 0 ? base : [...base, ...op.i32(from), ...op.i32Add];
}

/**
 * The function behind a call's kernel, what it takes besides, and the type of its pointers:
 * JavaScript would get an i32 with its sign, so that addresses above 2^31 were negative.
 */
function linked(
  kernels: Kernels,
  { family, name, args }: Call,
  imports: Imports,
): Linkable & { readonly pointer: typeof type.i32 | typeof type.f64 } {
  const of = family as Family;
  const direct = linkageOf(kernels, of, name)?.linkable(of, name, args);
  if (direct !== undefined) return { ...direct, pointer: type.i32 };
  const run = (kernels[of] as unknown as Record<string, Linkable["run"]>)[name]!;
  return { run, trailing: [], pointer: imports.isWebAssembly(run) ? type.i32 : type.f64 };
}

/** Whether a function is an export of a WebAssembly module: only those may stand in a table. */
function isWebAssembly(run: Linkable["run"]): boolean {
  try {
    new WebAssembly.Table({ element: "anyfunc", initial: 1 }).set(0, run);
    return true;
  } catch {
    return false;
  }
}
