import type { Cell, Values } from "../cell.ts";
import { ChunkedSegment } from "./chunked.ts";
import { type Feed, stepIsOver, type ValueAndPullbacks } from "./feed.ts";
import type { Plan } from "./options.ts";
import { onTape, whyNoPlan } from "./planning.ts";
import { Segment } from "./segment.ts";

/** The last k2 steps: as plans for as long as that works, then on a tape. */
export class Stretch<Params, State, X, Y, Target> {
  #chunked: ChunkedSegment<Params, State, X, Y, Target> | undefined;
  #onTape: Segment<Params, State, X, Y, Target> | undefined;
  /** The parameters that the tape uses. */
  #used: Values<Params> | undefined;

  readonly #plan: Plan<State, Y, Target>;
  /** Why steps run on the tape after all. */
  #reason: string | undefined;

  constructor(cell: Cell<Params, State, X, Y>, plan: Plan<State, Y, Target>, state: Values<State>) {
    this.#plan = plan;
    if (whyNoPlan(plan) === undefined) this.#chunked = new ChunkedSegment(cell, plan, state);
    else this.#onTape = new Segment(cell, plan, state, 0);
  }

  /** How steps run, in words. */
  explain(): string {
    return this.#chunked?.explain() ?? onTape(this.#plan, this.#reason);
  }

  get segment():
    | Segment<Params, State, X, Y, Target>
    | ChunkedSegment<Params, State, X, Y, Target> {
    return this.#onTape ?? this.#chunked!;
  }

  /** Takes a step, and with it as many more as are planned together; the loss of each. */
  take(
    params: Values<Params>,
    first: ValueAndPullbacks<X, Target>,
    feed: Feed<X, Target>,
  ): number[] {
    const chunked = this.#chunked;
    if (chunked === undefined) return [this.#takeOne(params, first)];
    const pulled = [first];
    let losses: number[] | string | undefined;
    try {
      while (pulled.length < chunked.length) {
        const next = feed.next();
        if (next === undefined) break;
        pulled.push(next);
      }
      const taken = chunked.take(
        params,
        pulled.map(({ step }) => step),
      );
      if (typeof taken === "string") chunked.finish();
      losses = taken;
    } finally {
      // The chunk holds what it needs of them; where it was not taken, they are taken one by one.
      if (typeof losses !== "string") for (const { region } of pulled) region.end(stepIsOver);
    }
    if (typeof losses !== "string") return losses;
    this.#reason = losses;
    this.#onTape = chunked.toSegment();
    this.#chunked = undefined;
    chunked.end();
    return pulled.map((one) => this.#takeOne(params, one));
  }

  #takeOne(params: Values<Params>, { step, region }: ValueAndPullbacks<X, Target>): number {
    const segment = this.#onTape!;
    if (this.#used !== params) segment.use(params);
    this.#used = params;
    return segment.take(step, region);
  }

  /** To be called after the last step: throws if what was recorded is no longer what the model does. */
  finish(): void {
    this.#chunked?.finish();
  }

  end(): void {
    this.#chunked?.end();
    this.#onTape?.end();
  }
}
