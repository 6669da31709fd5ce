import { type MapTree, scope, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { Region, within } from "@chronograd/autodiff/internal";
import type { Rng } from "@chronograd/nn";
import type { Cell, Values } from "../../cell.ts";
import type { Model } from "../../derivatives/model.ts";
import { Transition } from "../../derivatives/transition.ts";
import { paramsSize, paramsTree } from "../../derivatives/vectors.ts";
import { tokensOf } from "../../truncated/countedLoss.ts";
import { begin, mean } from "../../truncated/estimators/estimator.ts";
import { type Reading, type Source, streamIsOver } from "../../truncated/source.ts";
import type { Owned, PreparedStep } from "../../truncated/step.ts";
import { type Carrying, ForwardStep } from "./forwardStep.ts";
import type { Influence } from "./influence.ts";
import { modelOf, placeOf } from "./model.ts";
import type { ForwardSettings } from "./options.ts";

/** Why what came with a time step is gone. */
const stepIsOver =
  "it came with a time step that is over; make what all steps share outside of the stream";

/** Runs the steps of a stream with the gradient carried forwards. */
export class ForwardRun<Carried, Params, State, X, Y, Target> {
  /** Steps of the stream until now. */
  t = 0;
  readonly #influenceOf: (model: Model) => Influence<Carried>;
  readonly #cell: Cell<Params, State, X, Y>;
  readonly #settings: ForwardSettings<State, Y, Target>;
  #step: ForwardStep<Carried, Params, State, X, Y, Target> | undefined;
  #initial: Values<State> | undefined;
  /** After the last step, with the region that owns it. */
  #now: Owned<Carrying<Values<State>, Carried> | undefined>;
  constructor(
    influenceOf: (model: Model) => Influence<Carried>,
    cell: Cell<Params, State, X, Y>,
    settings: ForwardSettings<State, Y, Target>,
  ) {
    this.#influenceOf = influenceOf;
    this.#cell = cell;
    this.#settings = settings;
    this.#now = { value: undefined, region: new Region() };
  }

  /** Runs the burn-in. */
  *begin(params: Values<Params>, source: Source<X, Target>): Reading<void> {
    const { state, start } = yield* begin(
      this.#cell,
      this.#settings,
      params,
      source,
      this.#now.region,
    );
    this.#initial = state;
    this.t = start;
  }

  get state(): Values<State> {
    return this.#now.value?.state ?? this.#initial!;
  }

  /**
   * Takes a step; its region ends here.
   *
   * @param isFirst whether it is the first of a window
   */
  take(
    params: Values<Params>,
    { value: step, region: own }: Owned<PreparedStep<X, Target>>,
    isFirst: boolean,
  ): { readonly loss: number; readonly count: number } {
    const { where, draws } = this.#settings;
    const t = ++this.t;
    const region = new Region();
    try {
      const gives = within(region, () => {
        const forward = this.#stepFor(params, step);
        const { influence } = forward;
        const before = this.#now.value ?? { state: this.#initial!, carried: influence.start() };
        const like = placeOf(params);
        const gradient =
          isFirst || this.#now.value === undefined
            ? zeros([paramsSize(params)], like)
            : this.#now.value.gradient;
        const signs = influence.signs > 0 ? drawSigns(draws!, influence.signs, like) : undefined;
        if (isPowerOfTwo(t)) {
          const at = new Transition(this.#cell, params, step, before.state);
          scope(() => influence.check?.(at, t));
        }
        forward.t = t;
        return forward.run({ params, step, signs, ...before, gradient });
      });
      const loss = gives.loss === undefined ? 0 : sumOf(gives.loss);
      if (!Number.isFinite(loss)) {
        throw new RangeError(
          `${where}: the loss of step ${t} is ${loss}; look at the parameters and at the input of that step, lower the learning rate, or clip gradients`,
        );
      }
      const count = tokensOf(where, gives.count, t);
      this.#now.region.end(stepIsOver);
      this.#now = { value: gives, region };
      return { loss, count };
    } catch (error) {
      region.end("its step threw");
      throw error;
    } finally {
      own.end(stepIsOver);
    }
  }

  /** The gradient of the window, with its losses divided by a number of tokens. */
  gradient(params: Values<Params>, tokens: number): MapTree<Values<Params>, Tensor> {
    return paramsTree(this.#now.value!.gradient.mul(mean(1, tokens)), params);
  }

  explain(): string {
    return this.#step!.explain();
  }

  end(): void {
    this.#now.region.end(streamIsOver);
  }

  #stepFor(
    params: Values<Params>,
    step: PreparedStep<X, Target>,
  ): ForwardStep<Carried, Params, State, X, Y, Target> {
    if (this.#step !== undefined) return this.#step;
    const { where, bytes } = this.#settings;
    const cell = this.#cell;
    const model = modelOf(where, cell, params, step, this.#initial!, this.t, bytes);
    const made = ForwardStep.of(this.#influenceOf, model, cell, this.#settings);
    model.allow(made.influence.bytes, made.influence.description);
    this.#step = made;
    return made;
  }
}

function drawSigns(draws: Rng, count: number, { dtype, backend }: Model["like"]): Tensor {
  const signs = new Float64Array(count);
  for (let i = 0; i < count; i++) signs[i] = draws.bits() >= 2 ** 31 ? 1 : -1;
  return tensor(signs, { dtype, backend });
}

function isPowerOfTwo(t: number): boolean {
  return (t & (t - 1)) === 0;
}

function sumOf(loss: Tensor): number {
  let sum = 0;
  for (const value of loss.toTypedArray()) sum += value;
  return sum;
}
