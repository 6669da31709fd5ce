// What the workers of `localUpdates.test.ts` do: each a task by its name.
import { ones, type Tensor, tensor, tree } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  type Communicator,
  type GradientTransformation,
  gather,
  rng,
  rngFrom,
  type SgdState,
  sgd,
} from "../../src/index.ts";
import { type LocalUpdatesState, localUpdates } from "../../src/parallel.ts";
import { failure } from "./conformance.ts";

/** `f(w) = a/2 (w - c)^2`, for each element. */
export interface Quadratic {
  readonly a: readonly number[];
  readonly c: readonly number[];
}

export interface Given {
  readonly task: keyof typeof tasks;
  /** By rank. */
  readonly problems: readonly Quadratic[];
  /** What another run came to. */
  readonly from?: Run;
}

/** A run at an average. */
export interface Run {
  readonly params: Params;
  readonly outer: LocalUpdatesState<SgdState>;
}

const on = { dtype: "float64" } as const;
export const begin = [3, -1];
export const rate = 0.1;
export const nesterov = { learningRate: 0.7, momentum: 0.9, nesterov: true };

/** Fresh parameters, and the gradient of a worker's problem. */
function problem({ a, c }: Quadratic) {
  const [steep, at] = [tensor(a, on), tensor(c, on)];
  return {
    params: { layer: { w: tensor(begin, on) }, table: tensor([7, 8], { dtype: "int32" }), n: 2 },
    gradient: ({ layer: { w } }: { layer: { w: Tensor } }) => ({
      layer: { w: w.sub(at).mul(steep) },
    }),
  };
}

type Params = ReturnType<typeof problem>["params"];

const valuesOf = ({ layer: { w } }: Params) => w.toArray() as number[];

interface Training {
  readonly updates: number;
  readonly outer: GradientTransformation;
  readonly times: number;
  readonly inner?: GradientTransformation;
}

/** The parameters after each call. */
function train(
  all: Communicator,
  own: Quadratic,
  { updates, outer, times, inner = sgd({ learningRate: rate }) }: Training,
): number[][] {
  let { params, gradient } = problem(own) as { params: Params; gradient: (p: Params) => unknown };
  const local = localUpdates({ communicator: all, updates, optimizer: outer });
  let state = local.init(params);
  let before = inner.init(params);
  return Array.from({ length: times }, () => {
    const [moved, after] = inner.update(gradient(params), before, params);
    before = after;
    params = applyUpdates(params, moved as never) as Params;
    [params, state] = local.update(params, state);
    return valuesOf(params);
  });
}

/** What every worker comes to by the mean gradient of all. */
function synchronous(all: Communicator, own: Quadratic, times: number): number[][] {
  const { params, gradient } = problem(own);
  let w = params.layer.w;
  return Array.from({ length: times }, () => {
    const sum = all.allReduce(gradient({ layer: { w } })).layer.w;
    w = w.sub(sum.div(all.size).mul(rate));
    return w.toArray() as number[];
  });
}

const mean = sgd({ learningRate: 1 });

const tasks = {
  laws: (all: Communicator, { problems }: Given) => {
    const own = problems[all.rank]!;
    const outer = sgd(nesterov);
    return {
      each: train(all, own, { updates: 1, outer: mean, times: 12 }),
      synchronous: synchronous(all, own, 12),
      local: train(all, own, { updates: 5, outer, times: 40 }),
      alike: train(all, problems[0]!, { updates: 4, outer, times: 12, inner: adam() }),
    };
  },
  refusals: (all: Communicator, { problems }: Given) => {
    const { params } = problem(problems[0]!);
    const isLast = all.rank === all.size - 1;
    const twice = localUpdates({ communicator: all, updates: 2, optimizer: mean });
    const each = localUpdates({ communicator: all, updates: 1, optimizer: mean });
    const moved = (by: number) => ({ ...params, layer: { w: params.layer.w.add(by) } });
    return {
      "a value that is no number": failure(() =>
        each.update(moved(isLast ? Number.NaN : 0), each.init(params)),
      ),
      "other parameters": failure(() => {
        const state = each.init(moved(all.rank));
        each.update(params, state);
      }),
      "other shapes": failure(() => {
        const own = isLast
          ? { layer: { w: params.layer.w.reshape([2, 1]) }, b: ones([1]) }
          : params;
        each.update(own, each.init(own));
      }),
      "another collective": failure(() => {
        if (isLast) all.allReduce({ loss: 1 });
        else each.update(params, each.init(params));
      }),
      "another number of updates": failure(() => {
        const local = isLast ? twice : each;
        let [now, state] = [moved(1), local.init(params)];
        for (let i = 0; i < 2; i++) [now, state] = local.update(now, state);
      }),
      "goes on": valuesOf(each.update(moved(all.rank), each.init(params))[0]),
    };
  },
  /** Trains until the second average, from another run's if it is given. */
  "goes on": (all: Communicator, { problems, from }: Given): Run => {
    const { params: first, gradient } = problem(problems[all.rank]!);
    const local = localUpdates({ communicator: all, updates: 4, optimizer: sgd(nesterov) });
    let [params, outer] = [from?.params ?? first, from?.outer ?? local.init(first)];
    for (let i = 0; i < 8; i++) {
      const moved = gradient(params).layer.w.mul(-rate);
      params = applyUpdates(params, { layer: { w: moved } } as never) as Params;
      [params, outer] = local.update(params, outer);
    }
    return { params, outer };
  },
  /** Trains, stops in the middle and goes on from what one worker would save. */
  resumes: (all: Communicator, { problems }: Given) => {
    const { gradient, params: first } = problem(problems[all.rank]!);
    const local = localUpdates({ communicator: all, updates: 4, optimizer: sgd(nesterov) });
    const inner = adam({ learningRate: rate });
    const fresh = {
      params: first,
      outer: local.init(first),
      inner: inner.init(first),
      noise: rng(1, `worker ${all.rank}`).getState(),
    };
    const run = (from: typeof fresh, times: number): typeof fresh => {
      let { params, outer, inner: before } = tree.map(from, (x: Tensor) => x.clone());
      const noise = rngFrom(from.noise);
      for (let i = 0; i < times; i++) {
        const { layer } = gradient(params);
        const noisy = { layer: { w: layer.w.add(noise.normal()) } };
        const [moved, after] = inner.update(noisy, before, params);
        before = after;
        params = applyUpdates(params, moved as never) as Params;
        [params, outer] = local.update(params, outer);
      }
      return { params, outer, inner: before, noise: noise.getState() };
    };
    const whole = valuesOf(run(fresh, 12).params);
    // After update 6 the workers' parameters differ, and after update 8 they do not.
    const parts = [6, 8].map((times) => {
      const saved = gather(all, run(fresh, times));
      return valuesOf(run(saved[all.rank]!, 12 - times).params);
    });
    return { whole, parts };
  },
};

export default (all: Communicator, given: Given): unknown => tasks[given.task](all, given);
