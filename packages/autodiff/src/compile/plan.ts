import type { Backend } from "../tensor/backend.ts";
import { Block } from "../tensor/block.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { alias, place, Tensor } from "../tensor/tensor.ts";
import { flatten, map } from "../tensor/tree.ts";
import { batch, type Stretch } from "./batch.ts";
import { withoutCopies } from "./copies.ts";
import { emit, nameOfRun } from "./emit.ts";
import { fused } from "./fuse.ts";
import { Kept } from "./kept.ts";
import { layoutOf } from "./layout.ts";
import { withoutZeros } from "./peephole.ts";
import { prepacked } from "./prepack.ts";
import type { Program } from "./program.ts";
import { byTable as takenByTable } from "./tables.ts";
import { bufferAt, type TraceBackend } from "./trace.ts";

/** One tensor of a result: part of something in the caller's table, or a constant. */
interface Output {
  /** -1 for a constant. */
  readonly slot: number;
  readonly like: Tensor;
}

/** One run of a program: which entries of the table its inputs are, what it returns. */
interface Phase {
  readonly firstInput: number;
  readonly result: unknown;
  readonly outputs: readonly Output[];
  /** What is made for the result: entry of the table, bytes. */
  readonly made: readonly (readonly [slot: number, bytes: number])[];
}

/** What was traced as one run. */
export interface TracedPhase {
  readonly firstInput: number;
  readonly result: unknown;
}

/** What one run leaves for the next: inputs, results, and values in between, all held until it ends. */
export class Held {
  readonly pointers: number[] = [];
  readonly blocks: Block[] = [];
  /** Tensors by their entry of the table, for results that are inputs. */
  readonly tensors: (Tensor | undefined)[] = [];
  record: Block | undefined;
  #ended = false;

  /** Returns the memory; what was made for results goes on as long as those do. */
  end(reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    for (const block of this.blocks) block.release(reason);
    this.record?.release(reason);
  }
}

/** A traced program, laid out and linked, for inputs of certain shapes. It runs in one phase, or in several in turn. */
export class Plan {
  readonly backend: Backend;
  readonly program: Program;
  /** Bytes of the arena in which temporaries lie. */
  readonly bytes: number;
  /** Bytes that a run leaves for the next. */
  readonly recordBytes: number;
  /** Kernel calls as they were traced. */
  readonly traced: number;
  readonly #phases: readonly Phase[];
  readonly #slots: number;
  readonly #table: Block;
  readonly #runs: readonly (() => void)[];
  readonly #kept = new Kept();

  constructor(backend: Backend, trace: TraceBackend, phases: readonly TracedPhase[]) {
    this.backend = backend;
    this.#phases = phases.map((phase) => phaseOf(phase, trace));
    this.#slots = trace.slots;
    const { buffers, calls, checks } = trace;
    this.traced = calls.length;
    const pin = (parts: readonly Stretch[]) => this.#pinned(parts);
    const { kernels } = backend;
    const batched = batch(withoutZeros({ buffers, calls, checks }, kernels), pin);
    this.program = fused(prepacked(takenByTable(withoutCopies(batched)), kernels), kernels);
    const layout = layoutOf(this.program);
    this.bytes = layout.bytes;
    this.recordBytes = layout.recordBytes;
    const arena = this.#hold(layout.bytes);
    this.#table = this.#hold(4 * (this.#slots + 1));
    for (const block of trace.held) this.#kept.add(block);
    trace.release();
    const places = { table: this.#table.pointer, arena: arena.pointer, record: this.#slots };
    const { module, env } = emit(this.program, layout, places, backend.kernels, phases.length);
    const instance = new WebAssembly.Instance(new WebAssembly.Module(module), {
      env: { ...env, memory: backend.memory.wasm as WebAssembly.Memory },
    });
    this.#runs = phases.map((_, i) => instance.exports[nameOfRun(i)] as () => void);
  }

  /** Returns the plan's memory now instead of when it is collected; it must not run any more. */
  end(reason: string): void {
    this.#kept.end(reason);
  }

  #hold(bytes: number): Block {
    const size = Math.max(16, bytes);
    const block = new Block(this.backend, this.backend.memory.allocate(size), size);
    this.#kept.add(block);
    return block;
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

  /** Whether the indices that a run looks up are all in range; where not, the function itself says it best. */
  accepts(inputs: readonly Tensor[], phase = 0): boolean {
    const { firstInput } = this.#phases[phase]!;
    return this.program.checks.every((check) => {
      const input = inputs[check.slot - firstInput];
      if (check.phase !== phase || input === undefined) return true;
      const [n, low, high, except] = check.args;
      const at = input.pointer + check.offset;
      return this.backend.kernels.firstOutOfRange(n, at, low, high, except) < 0;
    });
  }

  /** One run. What later runs need is left in `held`, and kept where `keeps`. */
  run(phase: number, inputs: readonly Tensor[], held: Held, keeps: boolean): unknown {
    const { memory } = this.backend;
    const { firstInput, result, outputs, made } = this.#phases[phase]!;
    const { pointers, blocks, tensors } = held;
    for (const [i, input] of inputs.entries()) {
      pointers[firstInput + i] = input.pointer;
      tensors[firstInput + i] = input;
      if (keeps) this.#retain(input.block, blocks);
    }
    if (held.record === undefined && this.recordBytes > 0) {
      held.record = new Block(this.backend, memory.allocate(this.recordBytes), this.recordBytes);
      held.record.retain();
    }
    const fresh = new Map<number, Block>();
    for (const [slot, bytes] of made) {
      const block = new Block(this.backend, memory.allocate(bytes), bytes);
      fresh.set(slot, block);
      pointers[slot] = block.pointer;
      if (keeps) this.#retain(block, blocks);
    }
    const start = this.#table.pointer / 4;
    const { int32 } = memory.views;
    for (let slot = 0; slot < pointers.length; slot++) int32[start + slot] = pointers[slot] ?? 0;
    int32[start + this.#slots] = held.record?.pointer ?? 0;
    this.#runs[phase]!();
    let next = 0;
    return map(result, () => {
      const { slot, like } = outputs[next++]!;
      if (slot < 0) return like;
      const { shape, size, dtype, byteOffset } = like;
      const block = fresh.get(slot);
      if (block === undefined) {
        return place(alias(tensors[slot]!, shape, byteOffset / bytesOf[dtype]));
      }
      return place(new Tensor(block, byteOffset, shape, size, dtype, null, 0, null));
    });
  }

  #retain(block: Block, blocks: Block[]): void {
    block.retain();
    blocks.push(block);
  }

  /** What the plan does, in words. */
  explain(): string {
    const { calls, buffers, loops = [], byTable = 0 } = this.program;
    const counts = new Map<string, number>();
    let inLoops = 0;
    for (const { kernel } of calls) {
      const isLoop = kernel.startsWith("loop.");
      if (isLoop) inLoops += loops[Number(kernel.slice("loop.".length))]!.calls;
      const what = isLoop ? "fused loops" : kernel;
      counts.set(what, (counts.get(what) ?? 0) + 1);
    }
    const kernels = [...counts]
      .sort((a, b) => b[1] - a[1])
      .map(([kernel, count]) =>
        `${count} ${kernel}`.replace("fused loops", `$& of ${inLoops} calls`),
      )
      .join(", ");
    const record = this.recordBytes > 0 ? `, ${this.recordBytes} bytes kept between runs` : "";
    const tables = byTable === 0 ? "" : `; ${byTable} products by way of a table`;
    return `${calls.length} kernel calls (${this.traced} as recorded), ${buffers.length} buffers, ${this.bytes} bytes of temporaries${record}: ${kernels}${tables}`;
  }
}

function phaseOf({ firstInput, result }: TracedPhase, trace: TraceBackend): Phase {
  const made: [number, number][] = [];
  const outputs = flatten(result).map(([, y]): Output => {
    const at = bufferAt(y.block.pointer);
    if (at < 0) {
      trace.adopt(y);
      return { slot: -1, like: y };
    }
    const buffer = trace.buffers[at]!;
    if (buffer.slot < 0) {
      buffer.slot = trace.slots++;
      made.push([buffer.slot, buffer.bytes]);
    }
    return { slot: buffer.slot, like: y };
  });
  return { firstInput, result, outputs, made };
}
