import { type Family, type Kernels, type Linkable, linkageOf } from "../kernels/contract.ts";
import { takesNumber } from "../kernels/elementwise.ts";
import { functionOf, type Link, type Unlinked } from "../kernels/link.ts";
import { isPointer, type Kind } from "../kernels/signature.ts";
import { type Bytes, type FunctionType, type Import, moduleOf, op, type } from "./assembler.ts";
import { type Call, elementBytes, kernelOf, type Pointer } from "./call.ts";
import type { Layout } from "./layout.ts";
import { codeOf } from "./loop.ts";
import type { Program } from "./program.ts";

/** The addresses that an instance gets: of its temporaries, and of its scratch memory. */
const addresses = ["arena", "scratch"] as const;
const [arena, scratch] = [0, 1];
/**
 * The one parameter of a run: where the caller's addresses are, and after them that of the record.
 */
const frame = 0;

/** The name of the function that is one run of a program. */
export function nameOfRun(phase: number): string {
  return `run${phase}`;
}

/**
 * A program as WebAssembly, one function for each of its runs, which calls kernels: a run costs
 * JavaScript one call, with the address of a frame: the caller's addresses, then that of the
 * record. Instances of one module may run at the same time, each with temporaries of its own.
 *
 * @param slots how many addresses the caller has
 */
export function emit(
  program: Program,
  layout: Layout,
  slots: number,
  kernels: Kernels,
  phases: number,
): Unlinked {
  const imports = new Imports();
  const { calls, loops = [] } = program;
  const links = calls.map((call) => {
    if (call.family === "loop") return undefined;
    const { run, trailing, pointer, link } = linked(kernels, call, imports);
    const params = call.signature.kinds.map((kind) =>
      isPointer(kind) ? pointer : typeOf(kind, call),
    );
    const t = { params: [...params, ...trailing.map(() => type.i32)], results: [] };
    return { index: imports.indexOf(kernelOf(call), run, t, link), trailing, pointer };
  });
  const loopCode = loops.map((loop, i) => {
    const family = loop.size === 4 ? "float32" : "float64";
    return codeOf(loop, `loop${i}`, {
      inline: (code) => kernels.linkage!.inline?.(family, code),
      indexOf(code) {
        const run = kernels.linkage!.lanes(family, code)!;
        const params = takesNumber(code) ? [type.v128, type.v128] : [type.v128];
        const t = { params, results: [type.v128] };
        return imports.indexOf(code, run, t, { from: "lanes", family, name: code });
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
        put(address(program, layout, slots, { buffer: call.buffers[i]!, offset: value }));
        if (link?.pointer === type.f64) put(op.f64FromUnsigned);
      } else put(constants[typeOf(kind, call)](value));
    }
    for (const value of link?.trailing ?? []) {
      put(value === "scratch" ? op.globalGet(scratch) : op.i32(value));
    }
    put(op.call(link?.index ?? imports.list.length + Number(call.name)));
  }
  const runs = bodies.map((body, phase) => {
    return { name: nameOfRun(phase), type: { params: [type.i32], results: [] }, locals: [], body };
  });
  const module = moduleOf(addresses, imports.list, [...loopCode, ...runs]);
  return { module, links: imports.links };
}

/** What the module imports, each function once. */
class Imports {
  readonly list: Import[] = [];
  readonly links: (readonly [name: string, link: Link])[] = [];
  readonly #indices = new Map<unknown, number>();
  /** Of each function, whether it is WebAssembly: to find out is slow. */
  readonly #kinds = new Map<unknown, boolean>();

  isWebAssembly(run: Linkable["run"]): boolean {
    const known = this.#kinds.get(run) ?? isWebAssembly(run);
    this.#kinds.set(run, known);
    return known;
  }

  indexOf(
    name: string,
    run: (...args: never[]) => unknown,
    functionType: FunctionType,
    link: Link,
  ): number {
    const known = this.#indices.get(run);
    if (known !== undefined) return known;
    const index = this.list.length;
    const unique = `${name} ${index}`;
    this.list.push({ name: unique, type: functionType });
    this.links.push([unique, link]);
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
  slots: number,
  { buffer, offset }: Pointer,
): Bytes {
  if (buffer < 0) return op.i32(offset);
  const { slot } = buffers[buffer]!;
  const isOwn = slot < 0 && !layout.isKept[buffer]!;
  const base = isOwn
    ? op.globalGet(arena)
    : [...op.localGet(frame), ...op.i32Load(4 * (slot < 0 ? slots : slot))];
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
): Linkable & { readonly pointer: typeof type.i32 | typeof type.f64; readonly link: Link } {
  const of = family as Family;
  const direct = linkageOf(kernels, of, name)?.linkable(of, name, args);
  if (direct !== undefined) {
    return { ...direct, pointer: type.i32, link: { from: "code", family: of, name, args } };
  }
  const link = { from: "set", family: of, name } as const;
  const run = functionOf(kernels, link) as Linkable["run"];
  return { run, trailing: [], pointer: imports.isWebAssembly(run) ? type.i32 : type.f64, link };
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
