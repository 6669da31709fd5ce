import {
  clone,
  compile,
  type FloatDType,
  type MapTree,
  ones,
  scope,
  Tape,
  Tensor,
  tensor,
  tree,
  zeros,
} from "@chronograd/autodiff";
import { Region, within } from "@chronograd/autodiff/internal";
import type { Rng } from "@chronograd/nn";
import type { Cell, Values } from "../../cell.ts";
import { changeOfType } from "../../checkState.ts";
import { Transition } from "../../derivatives/transition.ts";
import {
  floatsOf,
  paramsSize,
  paramsTree,
  paramsVector,
  rowSize,
  rowsVector,
} from "../../derivatives/vectors.ts";
import { advance } from "../../sequences/advance.ts";
import { atStep } from "../../stepErrors.ts";
import { tokensOf } from "../../truncated/countedLoss.ts";
import { begin, mean } from "../../truncated/estimators/estimator.ts";
import { type Reading, type Source, stepIsOver, streamIsOver } from "../../truncated/source.ts";
import { type Owned, type PreparedStep, takeStep } from "../../truncated/step.ts";
import type { AnyTransition, Influence, Model } from "./influence.ts";
import type { ForwardSettings } from "./options.ts";

/** What goes from step to step: all of it trees of tensors. */
interface Carrying<State, Carried> {
  readonly state: State;
  readonly carried: Carried;
  /** The gradient of the window's losses until now, `[P]`. */
  readonly gradient: Tensor;
}

/** What a step reads. */
interface Reads<Params, State, Carried, X, Target> extends Carrying<State, Carried> {
  readonly params: Params;
  readonly step: PreparedStep<X, Target>;
  readonly signs: Tensor | undefined;
}

/** What a step gives: no loss where the step has none. */
interface Gives<State, Carried> extends Carrying<State, Carried> {
  readonly loss?: Tensor;
  readonly count: Tensor;
}

/** Runs the steps of a stream with the gradient carried forwards. */
export class ForwardRun<Carried, Params, State, X, Y, Target> {
  /** Steps of the stream until now. */
  t = 0;
  readonly #influenceOf: (model: Model) => Influence<Carried>;
  readonly #cell: Cell<Params, State, X, Y>;
  readonly #settings: ForwardSettings<State, Y, Target>;
  #influence: Influence<Carried> | undefined;
  /** Owns the constants of the influence. */
  readonly #constants = new Region();
  #initial: Values<State> | undefined;
  /** After the last step, with the region that owns it. */
  #now: Owned<Carrying<Values<State>, Carried> | undefined>;
  readonly #run: (
    reads: Reads<Values<Params>, Values<State>, Carried, X, Target>,
  ) => Gives<Values<State>, Carried>;
  readonly #explain: () => string;

  constructor(
    influenceOf: (model: Model) => Influence<Carried>,
    cell: Cell<Params, State, X, Y>,
    settings: ForwardSettings<State, Y, Target>,
  ) {
    this.#influenceOf = influenceOf;
    this.#cell = cell;
    this.#settings = settings;
    this.#now = { value: undefined, region: new Region() };
    const run = (reads: Reads<Values<Params>, Values<State>, Carried, X, Target>) =>
      this.#step(reads);
    if (settings.compile) {
      const compiled = compile(run);
      this.#run = compiled;
      this.#explain = () => compiled.explain();
    } else {
      this.#run = (reads) => scope(() => run(reads)) as Gives<Values<State>, Carried>;
      this.#explain = () => "step by step on tapes of one step, because compile is not true";
    }
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
        const influence = this.#influenceFor(params, step);
        const before = this.#now.value ?? { state: this.#initial!, carried: influence.start() };
        const like = placeOf(params);
        const gradient =
          isFirst || this.#now.value === undefined
            ? zeros([paramsSize(params)], like)
            : this.#now.value.gradient;
        const signs = influence.signs > 0 ? drawSigns(draws!, influence.signs, like) : undefined;
        if (influence.check !== undefined && isPowerOfTwo(t)) {
          scope(() => influence.check!(this.#transition(params, step, before.state), t));
        }
        return this.#run({ params, step, signs, ...before, gradient });
      });
      const loss = gives.loss === undefined ? 0 : sumOf(gives.loss);
      if (!Number.isFinite(loss)) {
        throw new RangeError(
          `${where}: the loss of step ${t} is ${loss}; look at the input of that step, lower the learning rate, or clip gradients`,
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
    return `${this.#influence!.description}; ${this.#explain()}`;
  }

  end(): void {
    this.#now.region.end(streamIsOver);
    this.#constants.end(streamIsOver);
  }

  /** One step as a function of trees of tensors: it can be compiled. */
  #step({
    params,
    step,
    signs,
    state,
    carried,
    gradient,
  }: Reads<Values<Params>, Values<State>, Carried, X, Target>): Gives<Values<State>, Carried> {
    const influence = this.#influence!;
    const tape = new Tape();
    const watched = tape.watch({ params, state }) as unknown as {
      params: Values<Params>;
      state: Values<State>;
    };
    const took = takeStep(
      this.#cell,
      this.#settings,
      tape,
      watched.params,
      watched.state,
      step,
      this.t,
    );
    checkShapes(this.#settings.where, this.t, state, took.next);
    const next = tree.map(took.next, (x: Tensor) => clone(tape.strip(x))) as Values<State>;
    let sum = gradient;
    if (took.loss !== null) {
      const { shape, dtype, backend } = took.loss;
      const cotangent = ones(shape, { dtype, backend });
      const direct = tape.gradient(took.loss, watched, { cotangent });
      const earlier = influence.credit(carried, rowsVector(direct.state));
      sum = sum.add(paramsVector(direct.params)).add(earlier);
    }
    const transition = this.#transition(params, step, state);
    return {
      state: next,
      carried: influence.next(carried, transition, signs),
      gradient: sum,
      count:
        took.count instanceof Tensor
          ? clone(tape.strip(took.count))
          : tensor(took.count, { ...placeOf(params), dtype: "float64" }),
      ...(took.loss !== null && { loss: clone(tape.strip(took.loss)) }),
    };
  }

  #transition(
    params: Values<Params>,
    step: PreparedStep<X, Target>,
    state: Values<State>,
  ): AnyTransition {
    return new Transition(this.#cell, params, step, state) as unknown as AnyTransition;
  }

  #influenceFor(params: Values<Params>, step: PreparedStep<X, Target>): Influence<Carried> {
    if (this.#influence !== undefined) return this.#influence;
    type Given = [Values<Params>, PreparedStep<X, Target>, Values<State>];
    const { where, bytes } = this.#settings;
    const state = this.#initial!;
    if (floatsOf(state).length === 0) {
      throw new TypeError(
        `${where}: the state of the model has no tensor of floats, so no gradient flows through time; use truncated with k1 and k2 of 1`,
      );
    }
    // Before any derivative is asked for.
    scope(() => {
      const run = () => advance(this.#cell, params, step.input, step, state).next;
      checkShapes(where, this.t, state, atStep(`${where}: step`, this.t, run));
    });
    const model: Model = {
      where,
      params,
      state,
      step,
      initial: this.#cell.initial !== undefined,
      rows: rowsVector(state).shape[0]!,
      size: rowSize(state),
      parameters: paramsSize(params),
      like: placeOf(params),
      numberBytes: placeOf(params).dtype === "float64" ? 8 : 4,
      allow(needed, what) {
        if (needed <= bytes) return;
        throw new RangeError(
          `${where}: a step needs about ${needed} bytes for ${this.rows} rows, ${this.size} numbers of the state and ${this.parameters} parameters (${what}), and memory.bytes is ${bytes}; allow more, take fewer rows, or an estimator that keeps less, such as uoro`,
        );
      },
      transition: (...given) => this.#transition(...(given as unknown as Given)),
    };
    const influence = within(this.#constants, () => this.#influenceOf(model));
    model.allow(influence.bytes, influence.description);
    this.#influence = influence;
    return influence;
  }
}

/** Where what goes with the parameters lives. */
function placeOf(params: unknown): Model["like"] {
  const { dtype, backend } = floatsOf(params)[0]!;
  return { dtype: dtype as FloatDType, backend };
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

function checkShapes(where: string, t: number, before: unknown, after: unknown): void {
  const change = changeOfType(before, after);
  if (change === undefined) return;
  throw new TypeError(
    `${where}: step ${t} changes the state "${change.path}" from ${change.was} to ${change.is}; a gradient carried forwards needs a state of one shape at all steps`,
  );
}
