import type { Backend } from "../tensor/backend.ts";
import { Block } from "../tensor/block.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { NotTraceable } from "../tensor/tracing.ts";
import { ThreadLost } from "../threads/pool.ts";
import { batch } from "./batch.ts";
import type { ByteRange } from "./call.ts";
import { committed } from "./commit.ts";
import { checkConstants, versionsOf } from "./constants.ts";
import { withoutCopies } from "./copies.ts";
import { emit } from "./emit.ts";
import { explainPlan } from "./explainPlan.ts";
import { Frames } from "./frames.ts";
import { fused } from "./fuse.ts";
import { layoutOf } from "./layout.ts";
import type { IndexRange } from "./otherInputs.ts";
import { OwnedBlocks } from "./ownedBlocks.ts";
import { alone, type Shards } from "./pace.ts";
import { withoutZeros } from "./peephole.ts";
import { type Phase, phaseOf, type TracedPhase } from "./phase.ts";
import { prepacked } from "./prepack.ts";
import { areInRange, type Program } from "./program.ts";
import type { Residuals } from "./residuals.ts";
import { type Prepared, Slots } from "./slots.ts";
import { SpanRuns, spansFor } from "./spanRuns.ts";
import { inSpans } from "./spans.ts";
import { byTable as takenByTable } from "./tables.ts";
import { bufferAt, offsetAt, type TraceBackend } from "./trace.ts";

/**
 * What a run gives when a guard does not hold: nothing was changed, and the function itself has to
 * run.
 */
export const guardFailed: unique symbol = Symbol("a guard does not hold");

/**
 * A traced program, laid out and linked, for inputs of certain shapes. It runs in one phase, or in
 * several in turn.
 */
export class Plan {
  readonly backend: Backend;
  readonly program: Program;
  /** Bytes of the arena in which temporaries lie. */
  readonly bytes: number;
  /** Bytes that a run leaves for the next. */
  readonly recordBytes: number;
  /** Kernel calls as they were traced. */
  readonly traced: number;
  /** How many runs there may be at the same time. */
  readonly shards: number;
  readonly #phases: readonly Phase[];
  readonly #slots: Slots;
  readonly #frames: Frames;
  /** Whether a separate run does the writing. */
  readonly #isApart: boolean;
  readonly #spans: SpanRuns | undefined;
  /** Values from outside that the program reads. */
  readonly #constants: readonly Block[];
  readonly #ownedBlocks = new OwnedBlocks();

  /** @param shards how many runs there may be at the same time, and on how many threads */
  constructor(
    backend: Backend,
    trace: TraceBackend,
    phases: readonly TracedPhase[],
    shards: Shards = alone,
  ) {
    this.backend = backend;
    this.shards = shards.count;
    const { buffers, checks, guards } = trace;
    if (guards.length > 0 && (phases.length > 1 || shards.count > 1)) {
      throw new NotTraceable("it checks that a value is finite, which only compile can do");
    }
    const inputs = trace.slots;
    const isInput = (buffer: number) =>
      buffers[buffer]!.slot >= 0 && buffers[buffer]!.slot < inputs;
    const { calls, written, isApart } = committed(trace.calls, guards, isInput, phases.length);
    this.#phases = phases.map((phase) => phaseOf(phase, trace));
    if (shards.count > 1 && this.#phases.some((phase) => phase.consumed.length > 0)) {
      throw new NotTraceable("it consumes an argument, which shards cannot do each for themselves");
    }
    const scalars = guards.map(({ pointer }) => {
      const buffer = buffers[bufferAt(pointer)]!;
      const isOwn = buffer.slot < 0;
      if (isOwn) buffer.slot = trace.slots++;
      const own = isOwn ? this.#hold(buffer.bytes).pointer : undefined;
      return { slot: buffer.slot, offset: offsetAt(pointer), own };
    });
    this.#slots = new Slots(backend, {
      guards: scalars,
      written: [...written].map((buffer) => buffers[buffer]!.slot),
      isInPlace: isApart || guards.length === 0,
    });
    this.#constants = [...trace.held];
    this.traced = calls.length;
    const pin = (parts: readonly ByteRange[]) => this.#pinned(parts);
    const { kernels } = backend;
    const batched = batch(withoutZeros({ buffers, calls, checks }, kernels), pin);
    const packed = prepacked(takenByTable(withoutCopies(batched)), kernels);
    const isWhole = phases.length === 1 && shards.count === 1;
    const guarded = new Set(guards.map(({ pointer }) => bufferAt(pointer)));
    const spanned = isWhole
      ? inSpans(packed, Number(isApart), guarded, () => spansFor(backend))
      : { ...packed, spans: 1 };
    const { spans } = spanned;
    this.#spans = spans > 1 ? new SpanRuns(backend, spans) : undefined;
    this.program = fused(spanned, kernels);
    const layout = layoutOf(this.program);
    this.bytes = layout.bytes;
    this.recordBytes = layout.recordBytes;
    for (const block of trace.held) this.#ownedBlocks.add(block);
    trace.release();
    this.#isApart = isApart;
    const runs = phases.length + Number(isApart) + (spans > 1 ? spans + 1 : 0);
    const unlinked = emit(this.program, layout, trace.slots, kernels, runs);
    const hold = (bytes: number) => this.#hold(bytes).pointer;
    this.#frames = new Frames(backend, unlinked, layout.bytes, trace.slots + 1, shards, hold);
  }

  /** Returns the plan's memory now instead of when it is collected; it must not run any more. */
  end(reason: string): void {
    this.#ownedBlocks.end(reason);
  }

  #hold(bytes: number): Block {
    const size = Math.max(16, bytes);
    const block = new Block(this.backend, this.backend.memory.allocate(size), size);
    this.#ownedBlocks.add(block);
    return block;
  }

  /** Constants side by side. */
  #pinned(parts: readonly ByteRange[]): number {
    const { pointer } = this.#hold(parts.reduce((n, { bytes }) => n + bytes, 0));
    const { uint8 } = this.backend.memory.views;
    let to = pointer;
    for (const { offset, bytes } of parts) {
      uint8.copyWithin(to, offset, offset + bytes);
      to += bytes;
    }
    return pointer;
  }

  /**
   * Whether the indices that a run looks up are all in range; if not, the function runs uncompiled
   * and throws its own sentence.
   */
  accepts(inputs: readonly Tensor[], phase = 0): boolean {
    const { firstInput } = this.#phases[phase]!;
    return areInRange(this.program.checks, inputs, phase, firstInput);
  }

  /** Which integers are in range, by input of the first phase, where they are looked up. */
  get ranges(): readonly (IndexRange | undefined)[] {
    const found: (IndexRange | undefined)[] = [];
    for (const { slot, phase, args } of this.program.checks) {
      if (phase > 0) continue;
      const [, low, high, except] = args;
      const { low: from, high: to } = found[slot] ?? { low, high };
      found[slot] = { low: Math.max(low, from), high: Math.min(high, to), except };
    }
    return found;
  }

  /**
   * One run. What later runs need is left in `residuals`, which hold it where `keeps`.
   *
   * @returns the result, or `guardFailed`
   * @throws when a value from outside was consumed since
   */
  run(phase: number, inputs: readonly Tensor[], residuals: Residuals, keeps: boolean): unknown {
    const prepared = this.#prepare(0, this.#phases[phase]!, inputs, residuals, keeps);
    let isLost = false;
    try {
      this.#frames.run(phase);
      if (!this.#slots.guardsHold(prepared)) return guardFailed;
      if (this.#isApart) this.#frames.run(this.#phases.length);
      this.#spans?.run(this.#frames, this.#phases.length + Number(this.#isApart));
      return this.#slots.finish(prepared);
    } catch (error) {
      isLost = error instanceof ThreadLost;
      if (isLost) this.#slots.abandon(prepared);
      throw error;
    } finally {
      if (!isLost) prepared.end();
    }
  }

  /** A run for each shard, on so many threads. */
  runShards(
    phase: number,
    inputs: readonly (readonly Tensor[])[],
    residuals: readonly Residuals[],
    keeps: boolean,
    threads: number,
  ): unknown[] {
    const prepared: Prepared[] = [];
    try {
      for (const [shard, own] of inputs.entries()) {
        prepared.push(this.#prepare(shard, this.#phases[phase]!, own, residuals[shard]!, keeps));
      }
      this.#frames.runAll(phase, threads);
      return prepared.map((each) => this.#slots.finish(each));
    } catch (error) {
      // A lost thread may come back, and write to what this run has.
      if (error instanceof ThreadLost) prepared.length = 0;
      throw error;
    } finally {
      for (const each of prepared) each.end();
    }
  }

  /** Makes room for the results of a run, and writes its addresses into a frame. */
  #prepare(
    shard: number,
    phase: Phase,
    inputs: readonly Tensor[],
    residuals: Residuals,
    keeps: boolean,
  ): Prepared {
    this.checkConstants();
    residuals.makeRecord(this.backend, this.recordBytes);
    const prepared = this.#slots.prepare(phase, inputs, residuals, keeps);
    this.#frames.write(shard, residuals.pointers, residuals.record?.pointer ?? 0);
    return prepared;
  }

  /** How often live views may have changed values from outside. */
  get versions(): number {
    return versionsOf(this.#constants);
  }

  /** Throws a sentence when a value from outside was consumed since it was recorded. */
  checkConstants(): void {
    checkConstants(this.#constants);
  }

  /** What the plan does, in words. */
  explain(): string {
    const spans = this.#spans === undefined ? "" : `; ${this.#spans.explain()}`;
    return explainPlan(this) + spans;
  }
}
