import type { Backend } from "../tensor/backend.ts";
import { Block, float } from "../tensor/block.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { alias, place, Tensor } from "../tensor/tensor.ts";
import { flatten, map } from "../tensor/tree.ts";
import { batch, type Stretch } from "./batch.ts";
import { emit } from "./emit.ts";
import { layoutOf } from "./layout.ts";
import { withoutZeros } from "./peephole.ts";
import { prepacked } from "./prepack.ts";
import type { Program } from "./program.ts";
import { bufferAt, type TraceBackend } from "./trace.ts";

/** One tensor of the result: part of a buffer made for it, of an input, or a constant. */
type Output =
  | { readonly kind: "made" | "input"; readonly index: number; readonly like: Tensor }
  | { readonly kind: "constant"; readonly like: Tensor };

/** A traced program, laid out and linked, for inputs of certain shapes. */
export class Plan {
  readonly backend: Backend;
  readonly program: Program;
  /** Bytes of the arena in which all temporaries lie. */
  readonly bytes: number;
  /** Kernel calls as they were traced. */
  readonly traced: number;
  readonly #result: unknown;
  readonly #outputs: readonly Output[];
  /** Bytes of each buffer that is made for the result. */
  readonly #made: readonly number[];
  readonly #inputs: number;
  /** Where a run finds the addresses of inputs and results. */
  readonly #table: Block;
  readonly #run: () => void;

  constructor(backend: Backend, trace: TraceBackend, result: unknown, inputs: number) {
    this.backend = backend;
    this.#inputs = inputs;
    this.#result = result;
    const made: number[] = [];
    this.#outputs = flatten(result).map(([, y]) => outputOf(y, trace, made));
    this.#made = made;
    const { buffers, calls, checks } = trace;
    this.traced = calls.length;
    const pin = (parts: readonly Stretch[]) => this.#pinned(parts);
    this.program = prepacked(batch(withoutZeros({ buffers, calls, checks }), pin));
    const layout = layoutOf(this.program);
    this.bytes = layout.bytes;
    const arena = this.#hold(layout.bytes);
    this.#table = this.#hold(4 * (inputs + made.length));
    for (const block of trace.held) float(this.#owner(), block);
    trace.release();
    const places = { table: this.#table.pointer, arena: arena.pointer, inputs };
    const { module, env } = emit(this.program, layout, places, backend.kernels);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module), {
      env: { ...env, memory: backend.memory.wasm },
    });
    this.#run = instance.exports.run as () => void;
  }

  /** Memory that goes back when this plan is collected. */
  #hold(bytes: number): Block {
    const size = Math.max(16, bytes);
    const block = new Block(this.backend, this.backend.memory.allocate(size), size);
    // An owner is in the net once; each block gets one of its own that this plan keeps.
    float(this.#owner(), block);
    return block;
  }

  readonly #owners: object[] = [];

  #owner(): object {
    const owner = {};
    this.#owners.push(owner);
    return owner;
  }

  /** Constants side by side. */
  #pinned(parts: readonly Stretch[]): number {
    const { pointer } = this.#hold(parts.reduce((n, { bytes }) => n + bytes, 0));
    const { uint8 } = this.backend.memory.views;
    let to = pointer;
    for (const { offset, bytes } of parts) {
      uint8.copyWithin(to, offset, offset + bytes);
      to += bytes;
    }
    return pointer;
  }

  /** Runs on inputs in the order of the plan's; `eager` is the function itself, for what only it can say. */
  run(inputs: readonly Tensor[], eager: () => unknown): unknown {
    const { memory, kernels } = this.backend;
    for (const { input, offset, args } of this.program.checks) {
      const [n, low, high, except] = args;
      const at = inputs[input]!.pointer + offset;
      if (kernels.firstOutOfRange(n, at, low, high, except) >= 0) return eager();
    }
    const made = this.#made.map((bytes) => new Block(this.backend, memory.allocate(bytes), bytes));
    const start = this.#table.pointer / 4;
    const { int32 } = memory.views;
    for (let i = 0; i < inputs.length; i++) int32[start + i] = inputs[i]!.pointer;
    for (let i = 0; i < made.length; i++) int32[start + this.#inputs + i] = made[i]!.pointer;
    this.#run();
    let next = 0;
    return map(this.#result, () => {
      const output = this.#outputs[next++]!;
      const { like } = output;
      if (output.kind === "constant") return like;
      const { shape, size, dtype, byteOffset } = like;
      if (output.kind === "input") {
        return place(alias(inputs[output.index]!, shape, byteOffset / bytesOf[dtype]));
      }
      return place(new Tensor(made[output.index]!, byteOffset, shape, size, dtype, null, 0, null));
    });
  }

  /** What the plan does, in words. */
  explain(): string {
    const { calls, buffers } = this.program;
    const counts = new Map<string, number>();
    for (const { kernel } of calls) counts.set(kernel, (counts.get(kernel) ?? 0) + 1);
    const kernels = [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([kernel, count]) => `${count} ${kernel}`)
      .join(", ");
    return `${calls.length} kernel calls (${this.traced} as recorded), ${buffers.length} buffers, ${this.bytes} bytes of temporaries: ${kernels}`;
  }
}

function outputOf(y: Tensor, trace: TraceBackend, made: number[]): Output {
  const at = bufferAt(y.block.pointer);
  if (at < 0) {
    trace.adopt(y);
    return { kind: "constant", like: y };
  }
  const buffer = trace.buffers[at]!;
  if (buffer.kind === "input") return { kind: "input", index: buffer.index, like: y };
  if (buffer.kind === "temporary") {
    buffer.kind = "output";
    buffer.index = made.push(buffer.bytes) - 1;
  }
  return { kind: "made", index: buffer.index, like: y };
}
