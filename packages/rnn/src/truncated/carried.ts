import { Region, within } from "@chronograd/autodiff/extend";
import type { Cell, Values } from "../cell.ts";
import { ChunkedSegment } from "./chunked.ts";
import { type Feed, type Pulled, present, stateFor, stepIsOver } from "./feed.ts";
import type { Plan } from "./options.ts";
import { Segment } from "./segment.ts";
import { sweepWindow, type Window, windowIsOver } from "./window.ts";

/**
 * Windows over one stretch that goes on: the overlap of two windows is swept with the weights of the time when it was
 * recorded. Steps run as plans, chunk by chunk, where the model can be recorded; otherwise one by one on a tape.
 */
export function* carried<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  feed: Feed<X, Target>,
  plan: Plan<State, Y, Target>,
): Generator<Window<Values<Params>, Values<State>>, void> {
  let stretch: Stretch<Params, State, X, Y, Target> | undefined;
  let region = new Region(true);
  try {
    for (let index = 0; ; index++) {
      const losses: number[] = [];
      let today: Values<Params> | undefined;
      while (losses.length < plan.k1) {
        const first = feed.next();
        if (first === undefined) break;
        today ??= present(params);
        const now = today;
        stretch ??= new Stretch(cell, plan, () =>
          within(region, () => stateFor(cell, plan, now, first.step.input)),
        );
        losses.push(...stretch.take(now, first, feed));
      }
      if (stretch === undefined) throw new RangeError("truncated: the stream has no steps");
      if (losses.length === 0) return;
      const { current } = stretch;
      yield within(region, () => sweepWindow(current, plan, index, losses, region));
      region.end(windowIsOver);
      region = new Region(true);
    }
  } finally {
    region.end(windowIsOver);
    stretch?.end();
  }
}

/** The last k2 steps: as plans for as long as that works, then on a tape. */
class Stretch<Params, State, X, Y, Target> {
  #chunked: ChunkedSegment<Params, State, X, Y, Target> | undefined;
  #segment: Segment<Params, State, X, Y, Target> | undefined;
  /** The parameters that the tape uses. */
  #used: Values<Params> | undefined;

  constructor(
    cell: Cell<Params, State, X, Y>,
    plan: Plan<State, Y, Target>,
    state: () => Values<State>,
  ) {
    const canPlan = plan.compile && Number.isFinite(plan.k1) && plan.measure === undefined;
    if (canPlan) this.#chunked = new ChunkedSegment(cell, plan, state());
    else this.#segment = new Segment(cell, plan, state(), 0);
  }

  get current():
    | Segment<Params, State, X, Y, Target>
    | ChunkedSegment<Params, State, X, Y, Target> {
    return this.#segment ?? this.#chunked!;
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
    this.#segment = chunked.toSegment();
    this.#chunked = undefined;
    chunked.end();
    return pulled.map((one) => this.#takeOne(params, one));
  }

  #takeOne(params: Values<Params>, { step, region }: Pulled<X, Target>): number {
    const segment = this.#segment!;
    if (this.#used !== params) segment.use(params);
    this.#used = params;
    return segment.take(step, region);
  }

  end(): void {
    this.#chunked?.end();
    this.#segment?.end();
  }
}
