import type { Backend } from "../tensor/backend.ts";
import { scope } from "../tensor/scope.ts";
import { Tensor } from "../tensor/tensor.ts";
import { isPlain } from "../tensor/tree.ts";
import { CheckSchedule } from "./checkSchedule.ts";
import type { IndexRange } from "./otherInputs.ts";
import { alone, type Shards } from "./pace.ts";
import { PurityCheck } from "./purityCheck.ts";
import { RecordedFunction } from "./recorded.ts";

/** How a function runs for several shards of its arguments at once. */
export interface Division<Args, Y> {
  readonly shards: Shards;
  /** The arguments of each shard. */
  parts(args: Args): readonly Args[];
  /** The result for all, from those of the shards. */
  joined(results: readonly Y[]): Y;
  /** Why these arguments have to run for all rows at once, in words. */
  whyWhole?(args: Args): string | undefined;
}

/** A function as it was recorded for arguments of one signature. */
export class Replay<Args extends unknown[], Y> {
  readonly #f: (...args: Args) => Y;
  readonly #recorded: RecordedFunction<Args, Y, never>;
  readonly #purity: PurityCheck<Args>;
  readonly #division: Division<Args, Y> | undefined;
  readonly #checks = new CheckSchedule();
  /** Milliseconds that a check just took. */
  #checked = 0;
  #runs = 0;
  /** For all rows at once, where some arguments have to. */
  #whole: Replay<Args, Y> | string | undefined;
  #wholeRuns = 0;
  #whyWhole = "";
  /** Why there is no division. */
  #whyAlone: string | undefined;

  private constructor(
    f: (...args: Args) => Y,
    recorded: RecordedFunction<Args, Y, never>,
    purity: PurityCheck<Args>,
    division: Division<Args, Y> | undefined,
  ) {
    this.#f = f;
    this.#recorded = recorded;
    this.#purity = purity;
    this.#division = division;
  }

  /** A recording, or the reason why there is none. */
  static of<Args extends unknown[], Y>(
    f: (...args: Args) => Y,
    args: Args,
    division?: Division<Args, Y>,
  ): Replay<Args, Y> | string {
    return scope(() => {
      const own = division?.parts(args)[0] ?? args;
      const recorded = RecordedFunction.plan<Args, Y, never>(
        (given) => ({ value: checked(f(...given)), pullbacks: [] }),
        own,
        [],
        division?.shards ?? alone,
      );
      if (typeof recorded === "string") return recorded;
      const purity = PurityCheck.of(ofArguments(f), own);
      if (typeof purity !== "string") return new Replay(f, recorded, purity, division);
      recorded.end("the function cannot be recorded");
      return purity;
    });
  }

  /** Now and then, what the function does otherwise than when it was recorded, in words. */
  difference(args: Args): string | undefined {
    if (!this.#checks.isDue()) return undefined;
    this.#recorded.checkConstants();
    const start = performance.now();
    const difference = scope(() =>
      this.#purity.differenceNow(this.#division?.parts(args)[0] ?? args),
    );
    this.#checked = performance.now() - start;
    return difference;
  }

  /**
   * Where an index is out of range, or a guard does not hold, the function runs uncompiled and
   * throws its own sentence.
   */
  run(args: Args, inputs: readonly Tensor[]): Y {
    const start = this.#checked > 0 ? performance.now() : 0;
    this.#runs++;
    const replayed =
      this.#division === undefined
        ? (this.#recorded.replay(inputs) as Y | undefined)
        : this.#replayShards(args, inputs, this.#division);
    const result = replayed ?? this.#f(...args);
    if (this.#checked > 0) this.#checks.took(this.#checked, performance.now() - start);
    this.#checked = 0;
    return result;
  }

  #replayShards(
    args: Args,
    inputs: readonly Tensor[],
    { parts, joined, whyWhole }: Division<Args, Y>,
  ): Y | undefined {
    const why = whyWhole?.(args);
    if (why !== undefined) {
      this.#whyWhole = why;
      this.#wholeRuns++;
      this.#whole ??= Replay.of(this.#f, args);
      return typeof this.#whole === "string" ? undefined : this.#whole.run(args, inputs);
    }
    return scope(() => {
      const shards = this.#recorded.tensorsOf(parts(args));
      if (shards === undefined) return undefined;
      const runs = this.#recorded.forwardShards(shards);
      for (const run of runs) run.end("the run is over");
      return joined(runs.map(({ value }) => value as Y));
    });
  }

  /** The same, which says why it has no shards. */
  because(reason: string | undefined): this {
    this.#whyAlone = reason;
    return this;
  }

  explain(): string {
    const alone =
      this.#whyAlone === undefined ? "" : `; all rows at once, because ${this.#whyAlone}`;
    const some =
      this.#wholeRuns === 0
        ? ""
        : `; ${this.#wholeRuns} of ${this.#runs} calls for all rows at once, because ${this.#whyWhole}`;
    return this.#recorded.explain() + alone + some;
  }

  get backend(): Backend {
    return this.#recorded.backend;
  }

  get ranges(): readonly (IndexRange | undefined)[] {
    return this.#recorded.ranges;
  }

  end(): void {
    this.#recorded.end("its plan gave way to newer ones");
    this.#purity.end();
    if (typeof this.#whole === "object") this.#whole.end();
  }
}

/** Throws a sentence unless a result is a tree: what stands elsewhere would be gone. */
function checked<Y>(result: Y): Y {
  const visit = (value: unknown): void => {
    if (typeof value !== "object" || value === null || value instanceof Tensor) return;
    if (Array.isArray(value)) value.forEach(visit);
    else if (isPlain(value)) Object.values(value).forEach(visit);
    else {
      throw new TypeError(
        `compile: a result is an instance of ${value.constructor.name}, expected tensors in plain objects and arrays${value instanceof Promise ? "; what is compiled ends when it returns, so it cannot be asynchronous" : ""}`,
      );
    }
  };
  visit(result);
  return result;
}

/** `f` as a function of its arguments as one array; it keeps nothing else alive. */
function ofArguments<Args extends unknown[], Y>(f: (...args: Args) => Y): (given: Args) => Y {
  return (given) => f(...given);
}
