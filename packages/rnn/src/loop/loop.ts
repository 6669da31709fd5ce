import { type Tensor, tree } from "@chronograd/autodiff";
import { alias, Region, within } from "@chronograd/autodiff/internal";
import type { Values } from "../cell.ts";
import { checksumOf } from "./checksum.ts";
import {
  type ChunkGradient,
  type ChunkInputs,
  type ChunkValue,
  inputsOf,
  type Variable,
} from "./chunk.ts";
import type { Chunk, Chunks } from "./chunks.ts";
import type { DrawPosition, Draws } from "./draws.ts";
import type { Kept } from "./memory.ts";
import { Results } from "./results.ts";
import { type Move, reversal } from "./reversal.ts";
import type { ChunkRun, Runner } from "./runner.ts";
import { LoopSweep } from "./sweep.ts";

const isOver = "it was an intermediate value of a loop over time";

/** What a loop runs. */
export interface LoopSettings<Params, State, Y> {
  readonly runner: Runner<Params, State, Y>;
  readonly chunks: Chunks;
  readonly by: readonly Variable[];
  readonly draws: Draws;
  readonly kept: Kept;
  /** Whether its outputs are wanted; the draws end with it then. */
  readonly hasOutputs: boolean;
  /** Steps before the first, for errors. */
  readonly offset: number;
  /** What the output of a step looks like that no row has. */
  outputOfEmptyStep?(): Y;
}

/** The state before a chunk, and the draws there. */
interface StateAt<State> {
  readonly at: number;
  readonly state: Values<State>;
  readonly region: Region;
  readonly drawn: DrawPosition | undefined;
}

/** A chunk that ran and waits for its pullback; there is nothing to pull back where nothing ran. */
interface WaitingRun<State, Y> {
  readonly chunk: Chunk;
  readonly run: ChunkRun<State, Y> | undefined;
  readonly region: Region;
}

/**
 * A loop over the chunks of a sequence, and the sweep back. It keeps states and runs as it is told,
 * and runs the others again.
 */
export class Loop<Params, State, Y> {
  readonly #settings: LoopSettings<Params, State, Y>;
  /** Of the whole sequence, with the state before the first chunk. */
  readonly #inputs: ChunkInputs<Params, State>;
  readonly #start: DrawPosition | undefined;
  #results: Results<State, Y> | undefined;
  /** What the sweep has to do; until it began, all runs forward were done. */
  #moves: Generator<Move, void> | undefined;
  #here: StateAt<State> | undefined;
  readonly #states: StateAt<State>[] = [];
  readonly #waiting: WaitingRun<State, Y>[] = [];
  /** Of what each chunk gave. */
  readonly #checksums = new Map<number, number>();
  /** Whether chunks run again. */
  #isRerun = false;
  /** Tapes that hold the loop. */
  #holders = 0;

  constructor(settings: LoopSettings<Params, State, Y>, inputs: ChunkInputs<Params, State>) {
    this.#settings = settings;
    this.#inputs = inputs;
    this.#start = settings.draws.position;
  }

  get results(): Results<State, Y> {
    return this.#results!;
  }

  /** Runs all steps: every float that they give, as one vector. */
  forward(): Tensor {
    try {
      this.#toEnd();
      this.results.writeState(this.#here!.state);
    } catch (error) {
      this.end();
      throw error;
    }
    if (this.#settings.by.length === 0) this.#clear();
    return this.results.vector;
  }

  /** Runs over all chunks, and keeps what there is to keep. */
  #toEnd(): void {
    const { chunks, by, kept } = this.#settings;
    const { count } = chunks;
    // The runs that wait at the end are one for the schedule.
    const waiting = by.length === 0 ? 0 : Math.min(kept.runs, count);
    this.#moves = reversal(count - waiting + 1, kept.states);
    const region = new Region();
    for (const x of tree.leaves(this.#inputs.state)) region.hold(x.block);
    this.#here = { at: 0, state: this.#inputs.state, region, drawn: this.#start };
    this.#states.push(this.#here);
    this.#makeUntilReverse();
    while (this.#here.at < count) this.#waiting.push(this.#run(true));
  }

  /** Makes moves, up to the chunk that is to be reversed; `false` when there is none any more. */
  #makeUntilReverse(): boolean {
    for (;;) {
      const { done, value: move } = this.#moves!.next();
      if (done === true || move.move === "reverse") return done !== true;
      this.#make(move);
    }
  }

  #make(move: Move): void {
    if (move.move === "advance") {
      while (this.#here!.at < move.to) this.#run(false).region.end(isOver);
    } else if (move.move === "keep") {
      this.#here = { ...this.#here!, drawn: this.#settings.draws.position };
      this.#states.push(this.#here);
    } else if (move.move === "restore") {
      const kept = this.#states.at(-1)!;
      if (this.#here === kept) return;
      this.#leave();
      this.#here = kept;
      this.#settings.draws.restore(kept.drawn);
    } else if (move.move === "drop") {
      const kept = this.#states.pop()!;
      if (this.#here !== kept) kept.region.end(isOver);
    }
  }

  /** Lets go of the state at hand, unless it is kept. */
  #leave(): void {
    if (this.#states.at(-1) !== this.#here) this.#here!.region.end(isOver);
  }

  /** Runs the next chunk. */
  #run(keeps: boolean): WaitingRun<State, Y> {
    const { at, state } = this.#here!;
    const { runner, chunks, draws } = this.#settings;
    const chunk = chunks.at(at);
    const region = new Region();
    let run: ChunkRun<State, Y> | undefined;
    try {
      const inputs = within(region, () => {
        const noise = draws.next(chunk.length);
        return { ...inputsOf(this.#inputs, chunk), state, ...(noise && { noise }) };
      });
      if (chunk.kind !== "nothing") {
        run = within(region, () => runner.run(inputs, chunk, keeps));
        region.endWith(run);
        this.#checkRepeated(at, chunk, run);
      }
      this.#write(chunk, run);
    } catch (error) {
      region.end(isOver);
      throw error;
    }
    const next = run?.value.state ?? state;
    const own = new Region();
    for (const x of tree.leaves(next)) own.hold(x.block);
    this.#leave();
    this.#here = { at: at + 1, state: next, region: own, drawn: undefined };
    return { chunk, run, region };
  }

  /** Writes the outputs of a chunk that runs for the first time. */
  #write(chunk: Chunk, run: ChunkRun<State, Y> | undefined): void {
    const { chunks, offset, outputOfEmptyStep, hasOutputs } = this.#settings;
    if (this.#results === undefined) {
      const state = run?.value.state ?? this.#inputs.state;
      const first = () => tree.map(outputOfEmptyStep!(), (x: Tensor) => alias(x, [1, ...x.shape]));
      const outputs = hasOutputs ? (run?.value.outputs ?? first()) : undefined;
      this.#results = new Results(chunks.steps, { outputs, state } as ChunkValue<State, Y>);
    }
    const step = offset + chunk.start + 1;
    if (!this.#isRerun) this.#results.writeOutputs(chunk, run?.value.outputs, step);
  }

  /** Throws a sentence where a chunk that runs again gives something else than before. */
  #checkRepeated(at: number, chunk: Chunk, run: ChunkRun<State, Y>): void {
    const { runner, offset, by, kept, chunks } = this.#settings;
    if (runner.isRepeated || by.length === 0 || kept.runs >= chunks.count) return;
    const sum = checksumOf(run.value);
    if (this.#isRerun && this.#checksums.get(at) !== sum) {
      throw new Error(
        `unroll: step ${offset + chunk.start + 1} gave something else when it was run again for the gradient, so the model is not a pure function of its parameters, input and state; draw random numbers as noise of the cell, or leave memory out`,
      );
    }
    this.#checksums.set(at, sum);
  }

  /**
   * Gradients by the variables, from the cotangent of the vector. The results lie in the region
   * around the call.
   */
  backward(g: Tensor): ChunkGradient {
    const { by, chunks } = this.#settings;
    const sweep = new LoopSweep(by, this.#inputs, this.results, g);
    this.#isRerun = true;
    try {
      if (this.#moves === undefined) {
        this.#settings.draws.restore(this.#start);
        this.#toEnd();
      }
      const isAll = this.#waiting.length === chunks.count;
      for (let i = this.#waiting.length - 1; i >= 0; i--) {
        const { chunk, run } = this.#waiting[i]!;
        sweep.pull(chunk, run);
        if (!isAll) this.#waiting.pop()!.region.end(isOver);
      }
      if (isAll) return sweep.gradient();
      while (this.#makeUntilReverse()) {
        const { chunk, run, region } = this.#run(true);
        try {
          sweep.pull(chunk, run);
        } finally {
          region.end(isOver);
        }
      }
      this.#clear();
      return sweep.gradient();
    } catch (error) {
      this.#clear();
      throw error;
    } finally {
      sweep.end();
    }
  }

  /** Returns what is kept; another sweep runs everything again. */
  #clear(): void {
    this.#moves = undefined;
    for (const { region } of this.#waiting) region.end(isOver);
    this.#waiting.length = 0;
    for (const { region } of this.#states) region.end(isOver);
    this.#states.length = 0;
    this.#here?.region.end(isOver);
    this.#here = undefined;
  }

  /** Whether a tape may ask for gradients. */
  get isHeld(): boolean {
    return this.#holders > 0;
  }

  retain(): void {
    this.#holders++;
  }

  release(): void {
    if (--this.#holders === 0) this.end();
  }

  end(): void {
    this.#clear();
    if (this.#settings.hasOutputs) this.#settings.draws.end(isOver);
  }
}
