import { type Communicator, type SgdState, sgd } from "@chronograd/nn";
import { type LocalUpdatesState, localUpdates } from "@chronograd/nn/parallel";
import type { TrainOptions } from "./options.ts";

/** The options of local updates. */
export type AverageOptions = Pick<TrainOptions, "localUpdates" | "outerLr" | "outerMomentum">;

/** Parameters that each rank updates alone, until all average. */
export class Averages<Params> {
  readonly #update: (params: Params) => Params;
  readonly #finish: (params: Params) => Params;
  #state: LocalUpdatesState<SgdState>;

  /** @param outer the outer optimizer's state, where a run goes on after an average */
  constructor(
    { localUpdates: updates = 1, outerLr: learningRate, outerMomentum: momentum }: AverageOptions,
    communicator: Communicator,
    params: Params,
    outer: SgdState | undefined,
  ) {
    const optimizer = sgd({ learningRate, momentum, nesterov: momentum > 0 });
    const local = localUpdates({ communicator, updates, optimizer });
    // The same step, due at once.
    const last = localUpdates({ communicator, updates: 1, optimizer });
    const begun = local.init(params);
    this.#state = outer === undefined ? begun : { ...begun, optimizer: outer };
    const moved = (by: typeof local) => (before: Params) => {
      const [after, state] = by.update(before, this.#state);
      this.#state = state;
      return after;
    };
    this.#update = moved(local);
    this.#finish = moved(last);
  }

  /** To be called after each update: every `updates` times it is an average of all ranks. */
  update(params: Params): Params {
    return this.#update(params);
  }

  /** Averages what was updated since the last average. */
  finish(params: Params): Params {
    return this.#finish(params);
  }

  /** The state of the outer optimizer, the same on all ranks after an average. */
  get outer(): SgdState {
    return this.#state.optimizer;
  }
}
