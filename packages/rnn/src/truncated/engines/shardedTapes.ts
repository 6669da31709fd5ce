import { detach, type Tensor, tree } from "@chronograd/autodiff";
import {
  joinParts,
  pairwiseSum,
  partsOf,
  Queue,
  Region,
  whyDependent,
  within,
} from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../../cell.ts";
import { rowsOf } from "../../checkRows.ts";
import { dependent } from "../../sharding/options.ts";
import type { Past } from "../live/liveWindow.ts";
import { stepIsOver, streamIsOver } from "../source.ts";
import type { Owned, PreparedStep, Term } from "../step.ts";
import { type ChunkInputs, chunkOnTape, withOwnFirst } from "./chunk.ts";
import type { Engine, EngineSettings, LocalGradients } from "./engine.ts";
import { ofShard, sumsOf, trialOf } from "./shards.ts";
import { TapeEngine } from "./tape.ts";

/** Runs steps on a tape: on one for each shard of the rows, where their sums are to be in order. */
export function tapeEngine<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  settings: EngineSettings<Y, Target>,
  state: Values<State>,
  start: number,
  reason: string,
  shards: number = settings.sharding?.shards ?? 0,
): TapesEngine<Params, State, X, Target> {
  return shards > 1
    ? new ShardedTapes(cell, settings, state, start, reason, shards)
    : new TapeEngine(cell, settings, state, start, reason);
}

/** An engine on tapes. */
export interface TapesEngine<Params, State, X, Target> extends Engine<Params, State, X, Target> {
  /** The squares of `sweep` alone. */
  squares(terms: readonly Term[], start: number): readonly number[];
}

/** A tape for each shard of the rows; what they give is added up in pairs. */
class ShardedTapes<Params, State, X, Y, Target> implements TapesEngine<Params, State, X, Target> {
  readonly start: number;
  readonly stepsAtOnce = 1;
  readonly #cell: Cell<Params, State, X, Y>;
  readonly #settings: EngineSettings<Y, Target>;
  readonly #rows: number;
  readonly #engines: TapeEngine<Params, State, X, Y, Target>[];
  /** The steps with all rows, by their time, as long as a gradient may reach them. */
  readonly #steps: Queue<Owned<PreparedStep<X, Target>>>;
  #isChecked: boolean;

  constructor(
    cell: Cell<Params, State, X, Y>,
    settings: EngineSettings<Y, Target>,
    state: Values<State>,
    start: number,
    reason: string,
    shards: number,
  ) {
    this.start = start;
    this.#cell = cell;
    this.#settings = settings;
    this.#rows = rowsOf(state) ?? 1;
    this.#isChecked = settings.sharding?.isTrusted === true;
    if (this.#rows % shards !== 0) {
      throw new RangeError(
        `${settings.where}: shards must divide the rows of a batch, got ${shards} for ${this.#rows} rows; choose another batch size, or a smaller number`,
      );
    }
    this.#steps = new Queue(start + 1);
    this.#engines = partsOf(state, this.#rows, shards).map(
      (part) => new TapeEngine(cell, settings, part, start, reason),
    );
  }

  get t(): number {
    return this.#engines[0]!.t;
  }

  /** Made anew each time, in the scope around. */
  get state(): Values<State> {
    return this.#joined(this.#engines.map(({ state }) => state));
  }

  #joined(states: readonly Values<State>[]): Values<State> {
    const values = states.map(
      (state) => tree.map(state, (x: Tensor) => detach(x)) as Values<State>,
    );
    return joinParts(values, this.#rows);
  }

  get entries(): number {
    return this.#engines.reduce((sum, { entries }) => sum + entries, 0);
  }

  take(
    params: Values<Params>,
    steps: readonly Owned<PreparedStep<X, Target>>[],
  ): readonly number[] {
    return steps.map((step) => {
      if (!this.#isChecked) this.#check(params, step.value);
      this.#isChecked = true;
      while (this.#steps.base < this.t + 1 - this.#settings.k2 && this.#steps.length > 0) {
        this.#steps.shift().region.end(stepIsOver);
      }
      this.#steps.push(step);
      const losses = within(step.region, () =>
        partsOf(step.value, this.#rows, this.#engines.length).map(withOwnFirst),
      ).map((part, shard) => {
        const region = new Region();
        for (const x of tree.leaves(part)) region.hold(x.block);
        try {
          return this.#engines[shard]!.take(params, [{ value: part, region }])[0]!;
        } catch (error) {
          throw ofShard(error, shard, this.#engines.length, this.#rows);
        }
      });
      return pairwiseSum(losses as [number, ...number[]], (a, b) => a + b);
    });
  }

  /** Throws a sentence where rows depend on each other. */
  #check(params: Values<Params>, step: PreparedStep<X, Target>): void {
    const { where, loss } = this.#settings;
    const region = new Region();
    try {
      const reason = within(region, () => {
        const inputs: ChunkInputs<Params, State, X, Target> = {
          params,
          state: this.state,
          steps: [step],
        };
        const run = (given: typeof inputs) =>
          chunkOnTape(this.#cell, { where, loss }, given, this.t, true);
        return whyDependent(trialOf(run, inputs, this.#rows, this.#engines.length));
      });
      if (reason !== undefined) throw dependent(where, reason);
    } finally {
      region.end(stepIsOver);
    }
  }

  countAt(t: number): number {
    const counts = this.#engines.map((engine) => engine.countAt(t));
    return pairwiseSum(counts as [number, ...number[]], (a, b) => a + b);
  }

  sweep(terms: readonly Term[], start: number, measure: boolean): LocalGradients<Values<Params>> {
    const all = this.#engines.map((engine) => engine.sweep(terms, start, measure));
    const gradients = all.flatMap((each) => each.gradients);
    return { gradients, ...(measure && { squares: sumsOf(all.map(({ squares }) => squares!)) }) };
  }

  squares(terms: readonly Term[], start: number): readonly number[] {
    return sumsOf(this.#engines.map((engine) => engine.squares(terms, start)));
  }

  explain(): string {
    return `${this.#engines[0]!.explain()}; for each of ${this.#engines.length} shards of the rows`;
  }

  past(): Past<Values<Params>, Values<State>, X, Target> {
    const all = this.#engines.map((engine) => engine.past());
    const { steps, reason } = all[0]!;
    const first = this.t - steps.length + 1;
    return {
      states: [this.#joined(all.map(({ states }) => states[0]!))],
      steps: steps.map(({ params }, i) => ({ step: this.#steps.at(first + i).value, params })),
      planned: [],
      reason,
      shards: this.#engines.length,
    };
  }

  /** A tape runs every step itself, so nothing can differ. */
  finish(): void {}

  end(): void {
    for (const engine of this.#engines) engine.end();
    for (const { region } of this.#steps) region.end(streamIsOver);
  }
}
