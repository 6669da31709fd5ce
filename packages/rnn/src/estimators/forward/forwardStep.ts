import { clone, compile, ones, scope, Tape, Tensor, tensor, tree } from "@chronograd/autodiff";
import { within } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../../cell.ts";
import type { Model } from "../../derivatives/model.ts";
import { Transition } from "../../derivatives/transition.ts";
import { paramsVector, rowsVector } from "../../derivatives/vectors.ts";
import { type ChunkCache, cached } from "../../loop/cache.ts";
import { type PreparedStep, takeStep } from "../../truncated/step.ts";
import type { Influence } from "./influence.ts";
import { checkShapes, placeOf } from "./model.ts";
import type { ForwardSettings } from "./options.ts";

/** What goes from step to step: all of it trees of tensors. */
export interface Carrying<State, Carried> {
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

/** Steps by cell and loss: they outlive the streams that made them. */
const steps = new WeakMap<object, ChunkCache>();

/** A step of a forward estimator as a function of trees of tensors, so that it can be compiled. */
export class ForwardStep<Carried, Params, State, X, Y, Target> {
  /** The time of the step that runs. */
  t = 0;
  readonly influence: Influence<Carried>;
  readonly run: (
    reads: Reads<Values<Params>, Values<State>, Carried, X, Target>,
  ) => Gives<Values<State>, Carried>;
  readonly #cell: Cell<Params, State, X, Y>;
  readonly #settings: Pick<ForwardSettings<State, Y, Target>, "where" | "loss">;
  readonly #explain: () => string;

  private constructor(
    influence: Influence<Carried>,
    cell: Cell<Params, State, X, Y>,
    { where, loss, compile: isCompiled }: ForwardSettings<State, Y, Target>,
  ) {
    this.influence = influence;
    this.#cell = cell;
    this.#settings = { where, loss };
    const run = (reads: Reads<Values<Params>, Values<State>, Carried, X, Target>) =>
      this.#run(reads);
    if (isCompiled) {
      const compiled = compile(run);
      this.run = compiled;
      this.#explain = () => compiled.explain();
    } else {
      this.run = (reads) => scope(() => run(reads)) as Gives<Values<State>, Carried>;
      this.#explain = () => "step by step on tapes of one step, because compile is not true";
    }
  }

  /** The step for a model, made now or kept with the cell and the loss. */
  static of<Carried, Params, State, X, Y, Target>(
    influenceOf: (model: Model) => Influence<Carried>,
    model: Model,
    cell: Cell<Params, State, X, Y>,
    settings: ForwardSettings<State, Y, Target>,
  ): ForwardStep<Carried, Params, State, X, Y, Target> {
    const { where, loss, compile: isCompiled, own } = settings;
    const { params, state, step } = model;
    const cache: ChunkCache = steps.get(cell) ?? new WeakMap();
    steps.set(cell, cache);
    return cached(cache, loss, { params, state, step }, [where, isCompiled, own], () => {
      // What it holds goes with the cell, not with the scope around this stream.
      const influence = within(null, () => influenceOf(model));
      return new ForwardStep(influence, cell, settings);
    });
  }

  explain(): string {
    return `${this.influence.description}; ${this.#explain()}`;
  }

  #run({
    params,
    step,
    signs,
    state,
    carried,
    gradient,
  }: Reads<Values<Params>, Values<State>, Carried, X, Target>): Gives<Values<State>, Carried> {
    const [cell, settings, t] = [this.#cell, this.#settings, this.t];
    const tape = new Tape();
    const watched = tape.watch({ params, state }) as unknown as {
      params: Values<Params>;
      state: Values<State>;
    };
    const took = takeStep(cell, settings, tape, watched.params, watched.state, step, t);
    checkShapes(settings.where, t, state, took.next);
    const plain = (x: Tensor) => clone(tape.strip(x));
    // What it gives is owned by the step: nothing goes on as it is.
    let sum = clone(gradient);
    if (took.loss !== null) {
      const { shape, dtype, backend } = took.loss;
      const cotangent = ones(shape, { dtype, backend });
      const direct = tape.gradient(took.loss, watched, { cotangent });
      const earlier = this.influence.credit(carried, rowsVector(direct.state));
      sum = sum.add(paramsVector(direct.params)).add(earlier);
    }
    const { count } = took;
    return {
      state: tree.map(took.next, plain) as Values<State>,
      carried: this.influence.next(carried, new Transition(cell, params, step, state), signs),
      gradient: sum,
      count:
        count instanceof Tensor
          ? plain(count)
          : tensor(count, { dtype: "float64", backend: placeOf(params).backend }),
      ...(took.loss !== null && { loss: plain(took.loss) }),
    };
  }
}
