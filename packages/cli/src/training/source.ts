import { type Communicator, selfCommunicator } from "@chronograd/nn";
import { shard } from "@chronograd/nn/parallel";
import { nonFiniteIn } from "./nonFinite.ts";
import { isSequence, stepsOf } from "./sequence.ts";
import type { Item, Step } from "./task.ts";

/** A place in a stream: items before it, and time steps of the next item before it. */
export interface Place {
  readonly items: number;
  readonly steps: number;
}

/** The time steps of a stream of items, a rank's rows of them, and the place after each step. */
export class Source {
  readonly #items: (position: number) => Iterable<Item>;
  readonly #from: Place;
  readonly #communicator: Communicator;
  /** After steps `#first`, `#first + 1`, ... */
  readonly #places: Place[];
  #first: number;
  /** The first item with a number that is not finite, and where that stands. */
  nonFinite: string | undefined;

  /** @param step how many time steps of the stream were before `place` */
  constructor(
    items: (position: number) => Iterable<Item>,
    place: Place,
    step: number,
    communicator: Communicator = selfCommunicator,
  ) {
    this.#communicator = communicator;
    this.#items = items;
    this.#from = place;
    this.#places = [place];
    this.#first = step;
  }

  *[Symbol.iterator](): Generator<Step> {
    let { items, steps: before } = this.#from;
    for (const item of this.#items(items)) {
      const odd = this.nonFinite === undefined ? nonFiniteIn(item) : undefined;
      if (odd !== undefined) this.nonFinite = `item ${items} has ${odd}`;
      const length = isSequence(item) ? item.inputs.shape[0]! : 1;
      for (const step of stepsOf(item, before)) {
        before++;
        this.#places.push(
          before === length ? { items: items + 1, steps: 0 } : { items, steps: before },
        );
        yield this.#communicator.size === 1 ? step : shard(step, this.#communicator);
      }
      before = 0;
      items++;
    }
  }

  /** The place after a step of the stream; those before it are forgotten. */
  placeAfter(step: number): Place {
    this.#places.splice(0, step - this.#first);
    this.#first = step;
    return this.#places[0]!;
  }
}
