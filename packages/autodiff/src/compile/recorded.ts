import type { Backend } from "../tensor/backend.ts";
import { type Shape, sameShape } from "../tensor/shape.ts";
import { alias, type Tensor } from "../tensor/tensor.ts";
import { leaves, type MapTree } from "../tensor/tree.ts";
import { ThreadLost } from "../threads/pool.ts";
import type { IndexRange } from "./otherInputs.ts";
import { alone, Pace, type Shards } from "./pace.ts";
import { Pattern } from "./pattern.ts";
import { guardFailed, Plan } from "./plan.ts";
import { Residuals } from "./residuals.ts";
import {
  backendOf,
  recording,
  resultsOf,
  snapshotOf,
  type ValueAndPullbacks,
} from "./traceFunction.ts";
import { TraceSnapshot } from "./traceSnapshot.ts";

/** One forward run, waiting to be pulled back. */
export interface ForwardRun<Value> {
  readonly value: Value;
  /** @internal */
  readonly residuals: Residuals;
  /** Of the values from outside. @internal */
  readonly versions: number;
  /** Returns the memory that waits. */
  end(reason: string): void;
}

/** What inputs with all rows are like, and the part of a shard in each tensor that is cut. */
interface Cut {
  readonly pattern: Pattern;
  readonly shapes: readonly ({ readonly shape: Shape; readonly size: number } | undefined)[];
}

/** A tensor is cut where the part's has another shape. */
function cutOf(part: unknown, whole: unknown): Cut {
  const parts = leaves(part);
  const shapes = leaves(whole).map((x, i) => {
    const { shape, size } = parts[i]!;
    return sameShape(x.shape, shape) ? undefined : { shape, size };
  });
  return { pattern: new Pattern(whole), shapes };
}

/**
 * A function and its pullbacks as separate WebAssembly functions: a forward run leaves a
 * record, and a backward run reads it whenever it likes, with whatever other runs in between.
 */
export class RecordedFunction<Inputs, Value, Gradient> {
  readonly #plan: Plan;
  readonly #pattern: Pattern;
  /** How the tensors of all rows become those of shards. */
  readonly #cut: Cut | undefined;
  /** Of each run, for several shards: how many threads it is worth. */
  readonly #paces: readonly Pace[];

  private constructor(plan: Plan, inputs: Inputs, paces: readonly Pace[], whole: Inputs) {
    this.#plan = plan;
    this.#paces = paces;
    this.#pattern = new Pattern(inputs);
    if (whole !== inputs) this.#cut = cutOf(inputs, whole);
  }

  /**
   * Records a function twice, and plans it if both records are the same.
   *
   * @param cotangents for each pullback, a tree like what it will get
   * @param shards where it will run for several parts of its inputs at once: how many, and on how
   *   many threads; all of these inputs are one part
   * @param whole the inputs that these are the first part of, where `cut` is to be used
   * @returns the runs, or the reason why the function cannot be recorded
   */
  static plan<Inputs, Value, Gradient>(
    f: (inputs: Inputs) => ValueAndPullbacks<Value, Gradient>,
    inputs: Inputs,
    cotangents: readonly unknown[],
    shards: Shards = alone,
    whole: Inputs = inputs,
  ): RecordedFunction<Inputs, Value, Gradient> | string {
    const backend = backendOf(inputs);
    return recording((record) => {
      const other = snapshotOf(record(f, inputs, cotangents, backend));
      const { trace, phases } = record(f, inputs, cotangents, backend);
      const again = new TraceSnapshot(trace, resultsOf(phases));
      const difference = other.differenceTo(again);
      other.end();
      again.end();
      if (difference !== undefined) {
        trace.release();
        return `it does not do the same twice (random numbers, or a state of its own): ${difference}`;
      }
      const isOnThreads = shards.count > 1 && shards.threads > 1;
      if (shards.isOrdered === true || isOnThreads) backend.kernels.useOneCore?.();
      const plan = new Plan(backend, trace, phases, shards);
      const paces = phases.map(() => new Pace(shards, backend));
      return new RecordedFunction<Inputs, Value, Gradient>(plan, inputs, paces, whole);
    });
  }

  /**
   * The tensors of the inputs of each shard, where all have the structure, shapes and dtypes of
   * those that were recorded, what was one value then is one now, and indices are in range;
   * `undefined` of others.
   */
  tensorsOf(shards: readonly Inputs[]): Tensor[][] | undefined {
    const all: Tensor[][] = [];
    for (const inputs of shards) {
      const tensors = this.#pattern.tensorsOf(inputs);
      if (tensors === undefined || !this.#accepts(tensors)) return undefined;
      all.push(tensors);
    }
    return all;
  }

  /** The same from inputs with the rows of all shards first, which share their bytes. */
  cut(inputs: Inputs): Tensor[][] | undefined {
    if (this.#cut === undefined) return this.tensorsOf([inputs]);
    const { pattern, shapes } = this.#cut;
    const whole = pattern.tensorsOf(inputs);
    if (whole === undefined) return undefined;
    const all: Tensor[][] = [];
    for (let shard = 0; shard < this.#plan.shards; shard++) {
      const tensors = whole.map((x, i) => {
        const part = shapes[i];
        return part === undefined ? x : alias(x, part.shape, shard * part.size);
      });
      if (!this.#accepts(tensors)) return undefined;
      all.push(tensors);
    }
    return all;
  }

  #accepts(tensors: readonly Tensor[]): boolean {
    return this.#pattern.hasTwins(tensors) && this.#plan.accepts(tensors);
  }

  get backend(): Backend {
    return this.#plan.backend;
  }

  /** Which integers are in range, by tensor of the inputs, where they are looked up. */
  get ranges(): readonly (IndexRange | undefined)[] {
    return this.#plan.ranges;
  }

  /**
   * The value for tensors as they were recorded; `undefined` where an index is out of range or a
   * guard does not hold, and the function itself says it best.
   */
  replay(inputs: readonly Tensor[]): MapTree<Value, Tensor> | undefined {
    if (!this.#plan.accepts(inputs)) return undefined;
    const residuals = new Residuals();
    let isLost = false;
    try {
      const value = this.#plan.run(0, inputs, residuals, false);
      return value === guardFailed ? undefined : (value as MapTree<Value, Tensor>);
    } catch (error) {
      isLost = error instanceof ThreadLost;
      throw error;
    } finally {
      if (!isLost) residuals.end("the run is over");
    }
  }

  /** Throws a sentence when a value from outside was consumed since it was recorded. */
  checkConstants(): void {
    this.#plan.checkConstants();
  }

  /** Runs forward for all shards at once, on the tensors of the inputs of each. */
  forwardShards(inputs: readonly (readonly Tensor[])[]): ForwardRun<MapTree<Value, Tensor>>[] {
    const all = inputs.map(() => new Residuals());
    try {
      const values = this.#paces[0]!.time((threads) =>
        this.#plan.runShards(0, inputs, all, true, threads),
      );
      const { versions } = this.#plan;
      return all.map((residuals, shard) => ({
        value: values[shard] as MapTree<Value, Tensor>,
        residuals,
        versions,
        end: (reason) => residuals.end(reason),
      }));
    } catch (error) {
      if (!(error instanceof ThreadLost)) for (const each of all) each.end("its run threw");
      throw error;
    }
  }

  /** The given pullback for all shards at once. */
  backwardShards(
    runs: readonly ForwardRun<unknown>[],
    cotangents: readonly unknown[],
    pullback = 0,
  ): MapTree<Gradient, Tensor>[] {
    for (const { versions } of runs) this.#checkVersions(versions);
    const all = runs.map(({ residuals }) => residuals);
    const phase = 1 + pullback;
    return this.#paces[phase]!.time((threads) =>
      this.#plan.runShards(phase, cotangents.map(leaves), all, false, threads),
    ) as MapTree<Gradient, Tensor>[];
  }

  #checkVersions(versions: number): void {
    if (versions === this.#plan.versions) return;
    throw new Error(
      "gradient: a value that a planned step takes from outside was changed through a live view since the step ran; change a clone(...) instead, or make it part of the inputs",
    );
  }

  /** Returns the plan's memory; it must not run any more. */
  end(reason: string): void {
    this.#plan.end(reason);
  }

  /** What the plan does, in words. */
  explain(): string {
    const [forward, backward] = this.#paces.map((pace) => pace.explain());
    const isOne = backward === undefined || backward === forward;
    const runs = isOne ? forward : `forward ${forward}, backward ${backward}`;
    return this.#plan.shards === 1
      ? this.#plan.explain()
      : `${this.#plan.explain()}; for each of ${this.#plan.shards} shards, ${runs}`;
  }
}
