import { type Backend, defaultBackend } from "../tensor/backend.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { alias, allocate, place, Tensor } from "../tensor/tensor.ts";
import { flatten, leaves, map } from "../tensor/tree.ts";
import { batch } from "./batch.ts";
import { emit } from "./emit.ts";
import { layoutOf } from "./layout.ts";
import { withoutZeros } from "./peephole.ts";
import type { Program } from "./program.ts";
import { bufferAt, NotTraceable, TraceBackend } from "./trace.ts";

/** A function that runs as a plan; see `compile`. */
export interface Compiled<Args extends unknown[], Y> {
  (...args: Args): Y;
  /** The plans made so far, in words. */
  explain(): string;
}

/** A plan for inputs of certain shapes, or why there is none. */
type Plan = Replay | { readonly reason: string };

/**
 * The same function, recorded once for each structure, shape and dtype of its arguments, planned, and replayed as one
 * WebAssembly function of kernel calls.
 */
export function compile<Args extends unknown[], Y>(f: (...args: Args) => Y): Compiled<Args, Y> {
  const plans = new Map<string, Plan>();
  const compiled = (...args: Args): Y => {
    const inputs = leaves(args);
    const key = signatureOf(args);
    let plan = plans.get(key);
    if (plan === undefined) {
      plan = planOf(f, args);
      plans.set(key, plan);
    }
    if ("reason" in plan) return f(...args);
    return plan.run(inputs, () => f(...args)) as Y;
  };
  const explain = () =>
    [...plans]
      .map(
        ([key, plan]) =>
          `${key}: ${"reason" in plan ? `not compiled: ${plan.reason}` : plan.explain()}`,
      )
      .join("\n");
  return Object.assign(compiled, { explain });
}

function signatureOf(args: readonly unknown[]): string {
  const parts: string[] = [];
  map(args, (x: Tensor, path) => {
    parts.push(`${path}:${x.dtype}[${x.shape}]`);
    return null;
  });
  return parts.join(" ");
}

function planOf<Args extends unknown[]>(f: (...args: Args) => unknown, args: Args): Plan {
  const inputs = leaves(args);
  if (inputs.some(({ tape }) => tape !== null)) {
    return {
      reason: "its inputs are watched by a tape; compile the function that takes the gradient",
    };
  }
  const backend = inputs[0]?.backend ?? defaultBackend();
  const trace = new TraceBackend(backend);
  try {
    return scope(() => {
      let index = 0;
      const stand = map(args, (x: Tensor) => trace.input(x.shape, x.dtype, index++)) as Args;
      const result = f(...stand);
      return new Replay(backend, trace, result, inputs.length);
    });
  } catch (error) {
    if (error instanceof NotTraceable) return { reason: error.message };
    throw error;
  }
}

/** One output: a view of an output buffer, an input, or a constant. */
type Output =
  | {
      readonly kind: "made";
      readonly buffer: number;
      readonly offset: number;
      readonly like: Tensor;
    }
  | {
      readonly kind: "input";
      readonly index: number;
      readonly offset: number;
      readonly like: Tensor;
    }
  | { readonly kind: "constant"; readonly value: Tensor };

class Replay {
  readonly backend: Backend;
  readonly program: Program;
  readonly bytes: number;
  readonly #result: unknown;
  readonly #outputs: Output[] = [];
  /** Bytes of each output buffer. */
  readonly #made: number[] = [];
  readonly #table: number;
  readonly #inputs: number;
  readonly #run: () => void;

  constructor(backend: Backend, trace: TraceBackend, result: unknown, inputs: number) {
    this.backend = backend;
    const { buffers, calls, checks } = trace;
    this.program = { buffers, calls, checks };
    this.#inputs = inputs;
    this.#result = result;
    const outputIndex = new Map<number, number>();
    for (const [, y] of flatten(result)) {
      const at = bufferAt(y.block.pointer);
      if (at < 0) {
        trace.adopt(y);
        this.#outputs.push({ kind: "constant", value: y });
        continue;
      }
      const buffer = buffers[at]!;
      const offset = y.byteOffset;
      if (buffer.kind === "input") {
        this.#outputs.push({ kind: "input", index: buffer.index, offset, like: y });
        continue;
      }
      let index = outputIndex.get(at);
      if (index === undefined) {
        index = this.#made.push(buffer.bytes) - 1;
        outputIndex.set(at, index);
        buffer.kind = "output";
        buffer.index = index;
      }
      this.#outputs.push({ kind: "made", buffer: index, offset, like: y });
    }
    this.program = batch(withoutZeros(this.program), (parts) => {
      const bytes = parts.reduce((n, part) => n + part.bytes, 0);
      const address = backend.memory.allocate(bytes);
      const { uint8 } = backend.memory.views;
      let to = address;
      for (const part of parts) {
        uint8.copyWithin(to, part.offset, part.offset + part.bytes);
        to += part.bytes;
      }
      return address;
    });
    const layout = layoutOf(this.program);
    this.bytes = layout.bytes;
    const arena = backend.memory.allocate(Math.max(16, layout.bytes));
    this.#table = backend.memory.allocate(Math.max(16, 4 * (inputs + this.#made.length)));
    const places = { table: this.#table, arena, inputs };
    const { module, env } = emit(this.program, layout, places, backend.kernels);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module), {
      env: { ...env, memory: backend.memory.wasm },
    });
    this.#run = instance.exports.run as () => void;
  }

  run(inputs: readonly Tensor[], eager: () => unknown): unknown {
    const { backend, program } = this;
    const { memory, kernels } = backend;
    for (const {
      input,
      offset,
      args: [n, low, high, except],
    } of program.checks) {
      const at = inputs[input]!.pointer + offset;
      // Out of range: the function itself says it best.
      if (kernels.firstOutOfRange(n, at, low, high, except) >= 0) return eager();
    }
    const made = this.#made.map((bytes) => allocate(backend, [bytes / 4], "float32").block);
    const start = this.#table / 4;
    const { int32 } = memory.views;
    for (let i = 0; i < inputs.length; i++) int32[start + i] = inputs[i]!.pointer;
    for (let i = 0; i < made.length; i++) int32[start + this.#inputs + i] = made[i]!.pointer;
    this.#run();
    let next = 0;
    return map(this.#result, () => {
      const output = this.#outputs[next++]!;
      if (output.kind === "constant") return output.value;
      const { like, offset } = output;
      if (output.kind === "input") {
        return place(alias(inputs[output.index]!, like.shape, offset / bytesOf[like.dtype]));
      }
      const block = made[output.buffer]!;
      return place(new Tensor(block, offset, like.shape, like.size, like.dtype, null, 0, null));
    });
  }

  explain(): string {
    const { calls, buffers } = this.program;
    const products = calls.filter(({ kernel }) => kernel.endsWith(".matmul")).length;
    return `${calls.length} kernel calls, ${products} products, ${buffers.length} buffers, ${this.bytes} bytes`;
  }
}
