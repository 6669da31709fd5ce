import { Region, within } from "@chronograd/autodiff/extend";
import type { Cell, Values } from "../cell.ts";
import { ChunkedSegment, chunkLength } from "./chunked.ts";
import { type Feed, type Pulled, present, stateFor, stepIsOver, streamIsOver } from "./feed.ts";
import type { Plan } from "./options.ts";
import type { Segment } from "./segment.ts";
import { type Share, shareOf } from "./share.ts";
import { windowIsOver } from "./window.ts";

/** Steps that a chunk must have to gain by a plan that nobody asked for. */
const worthwhile = 4;

/** Whether the steps of a stream may run as plans. */
export function canPlan({
  compile,
  k1,
  k2,
}: Pick<Plan<never, never, never>, "compile" | "k1" | "k2">): boolean {
  if (!Number.isFinite(k1)) return false;
  return compile === "auto" ? chunkLength(k1, k2) >= worthwhile : compile;
}

/**
 * Windows as `carried` gives them, whose steps run as plans, chunk by chunk, for as long as that works, and then one by
 * one on a tape.
 */
export function* planned<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  feed: Feed<X, Target>,
  plan: Plan<State, Y, Target>,
): Generator<Share<Values<Params>, Values<State>>, void> {
  let stretch: Stretch<Params, State, X, Y, Target> | undefined;
  let region = new Region(true);
  let pulled: Pulled<X, Target> | undefined;
  try {
    for (let index = 0; ; index++) {
      pulled = feed.next();
      if (pulled === undefined) {
        if (index === 0) throw new RangeError("truncated: the stream has no steps");
        return;
      }
      const { input } = pulled.step;
      const today = present(params);
      const current: Stretch<Params, State, X, Y, Target> =
        stretch ??
        new Stretch(
          cell,
          plan,
          within(region, () => stateFor(cell, plan, today, input)),
        );
      stretch = current;
      const losses: number[] = [];
      while (pulled !== undefined) {
        losses.push(...current.take(today, pulled, feed));
        pulled = losses.length < plan.k1 ? feed.next() : undefined;
      }
      yield shareOf(current.segment, plan, index, losses, region);
      region.end(windowIsOver);
      region = new Region(true);
    }
  } finally {
    region.end(windowIsOver);
    // Of a step that was pulled and, because something threw, not taken.
    pulled?.region.end(streamIsOver);
    stretch?.end();
  }
}

/** The last k2 steps: as plans for as long as that works, then on a tape. */
class Stretch<Params, State, X, Y, Target> {
  #chunked: ChunkedSegment<Params, State, X, Y, Target> | undefined;
  #onTape: Segment<Params, State, X, Y, Target> | undefined;
  /** The parameters that the tape uses. */
  #used: Values<Params> | undefined;

  constructor(cell: Cell<Params, State, X, Y>, plan: Plan<State, Y, Target>, state: Values<State>) {
    this.#chunked = new ChunkedSegment(cell, plan, state);
  }

  get segment():
    | Segment<Params, State, X, Y, Target>
    | ChunkedSegment<Params, State, X, Y, Target> {
    return this.#onTape ?? this.#chunked!;
  }

  /** Takes a step, and with it as many more as are planned together; the loss of each. */
  take(params: Values<Params>, first: Pulled<X, Target>, feed: Feed<X, Target>): number[] {
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
      losses = chunked.take(
        params,
        pulled.map(({ step }) => step),
      );
    } finally {
      // The chunk holds what it needs of them; where it was not taken, they are taken one by one.
      if (typeof losses !== "string") for (const { region } of pulled) region.end(stepIsOver);
    }
    if (typeof losses !== "string") return losses;
    this.#onTape = chunked.toSegment();
    this.#chunked = undefined;
    chunked.end();
    return pulled.map((one) => this.#takeOne(params, one));
  }

  #takeOne(params: Values<Params>, { step, region }: Pulled<X, Target>): number {
    const segment = this.#onTape!;
    if (this.#used !== params) segment.use(params);
    this.#used = params;
    return segment.take(step, region);
  }

  end(): void {
    this.#chunked?.end();
    this.#onTape?.end();
  }
}
