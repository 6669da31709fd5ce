import { clone, detach, scope, type Tensor, tree } from "@chronograd/autodiff";
import { consume, within } from "@chronograd/autodiff/internal";

/**
 * The state of a loop that is stopped and goes on: each step replaces it and returns the bytes of
 * the one before. Nothing holds the last one but this, so that the garbage collector takes it where
 * a loop is dropped half-way.
 */
export class Carried<State> {
  #state: State;
  /** The state that was given belongs to the caller. */
  #isOwn = false;

  constructor(given: State) {
    this.#state = given;
  }

  get state(): State {
    return this.#state;
  }

  /** Runs a step in a scope of its own, and keeps a copy of the state that it returns. */
  advance<Result>(step: (state: State) => readonly [Result, State]): Result {
    const [result, next] = scope(() => {
      const [found, state] = step(this.#state);
      return [found, [within(null, () => copied(state))] as const];
    });
    this.release();
    this.#state = next[0];
    this.#isOwn = true;
    return result;
  }

  /** Returns the bytes of the state. */
  release(): void {
    if (!this.#isOwn) return;
    this.#isOwn = false;
    for (const x of tree.leaves(this.#state)) consume(x, null, "a later step replaced it");
  }
}

/** A copy of a tree, without a gradient. */
export function copied<T>(values: T): T {
  return tree.map(values, (x: Tensor) => clone(detach(x))) as T;
}
