import type { Communicator } from "@chronograd/nn";
import type { Window } from "@chronograd/rnn";
import type { WindowNumbers } from "./metrics.ts";

/** Numbers of windows, and their tokens. */
export interface Totals
  extends Pick<WindowNumbers, "loss" | "gradientNorm" | "stateGradientNorms"> {
  readonly count: number;
}

/** Adds up what windows say until it is logged: means over the windows since then. */
export class Tally {
  #windows = 0;
  #losses = 0;
  #count = 0;
  #norms = 0;
  #squares: readonly number[] | undefined;

  /** @param gradientNorm before clipping */
  add(
    window: Pick<Window<unknown, unknown>, "losses" | "count" | "stateGradientNorms">,
    gradientNorm: number,
  ): void {
    const { losses, count, stateGradientNorms: norms } = window;
    this.#windows++;
    this.#losses += losses.reduce((a, b) => a + b, 0);
    this.#count += count;
    this.#norms += gradientNorm;
    this.#squares = norms?.map((norm) => norm * norm);
  }

  /**
   * The means over all windows that were added, and over ranks that each have windows of their own;
   * norms by the state are those of the last window. All ranks must ask for it; it begins anew
   * then.
   */
  take(communicator: Communicator): Totals {
    const { size } = communicator;
    const squares = this.#squares;
    const sums = communicator.allReduce({
      losses: this.#losses,
      count: this.#count,
      norms: this.#norms,
      ...(squares && { squares }),
    });
    const norms = sums.norms / (size * this.#windows);
    this.#windows = this.#losses = this.#count = this.#norms = 0;
    this.#squares = undefined;
    return {
      loss: sums.count === 0 ? 0 : sums.losses / sums.count,
      count: sums.count,
      gradientNorm: norms,
      // The loss of all ranks is the mean of theirs, and each row is in one of them.
      ...(sums.squares && {
        stateGradientNorms: sums.squares.map((square) => Math.sqrt(square) / size),
      }),
    };
  }
}
