import { scope, type Tensor, tree } from "@chronograd/autodiff";
import { checkOptions, refuseTracing } from "@chronograd/autodiff/internal";
import { checkWhole, shown } from "../checks.ts";
import { applyUpdates } from "../optim/applyUpdates.ts";
import { consumeState } from "../optim/consumeState.ts";
import { type Leaf, leavesOf } from "../optim/leaves.ts";
import { checkState, initialStep, stepAfter } from "../optim/stepCount.ts";
import type { GradientTransformation } from "../optim/transformation.ts";
import { type Communicator, checkRank } from "./communicator.ts";
import { checkReports, placed, reportOf } from "./localReport.ts";

/** Options of `localUpdates`. */
export interface LocalUpdatesOptions<Outer = unknown> {
  /** The workers, each of which trains on its own rows. */
  readonly communicator: Communicator;
  /** Updates that each worker makes alone before all average. */
  readonly updates: number;
  /**
   * The outer optimizer, whose gradient is the mean over all workers of what their updates took
   * from the parameters. `sgd({ learningRate: 1 })` averages the parameters.
   */
  readonly optimizer: GradientTransformation<Outer>;
}

/** What all workers hold in common since they averaged. */
export interface LocalUpdatesState<Outer = unknown> {
  /** Updates of this worker, an int32 scalar. */
  readonly step: Tensor;
  /**
   * The parameters that all workers began with, with `null` in the place of int32 ones; the same on
   * all of them.
   */
  readonly start: unknown;
  /** The state of the outer optimizer, the same on all workers. */
  readonly optimizer: Outer;
}

/** Updates of one's own, which are averaged now and then. */
export interface LocalUpdates<Outer = unknown> {
  /** The state before the first update. The parameters must be the same on all workers. */
  init(params: unknown): LocalUpdatesState<Outer>;
  /**
   * To be called after each update of the parameters. Every call in `updates` is a collective that
   * returns the parameters of all workers, and consumes these; all others return them as they are.
   * It consumes the state.
   */
  update<P>(params: P, state: LocalUpdatesState<Outer>): [P, LocalUpdatesState<Outer>];
}

const known = ["communicator", "updates", "optimizer"];

/**
 * Workers that make some updates alone and then average: with n updates in between, an nth of the
 * bytes of a sum of gradients in each update. An outer optimizer takes the averaged change for a
 * gradient: with `delta = mean(start - params)` over the workers, `start -= outer(delta)`, and all
 * go on from there (Douillard et al. 2023, DiLoCo: distributed low-communication training of
 * language models, algorithm 1, with the outer optimizer `sgd({ learningRate: 0.7, momentum: 0.9,
 * nesterov: true })`). Plain means are local SGD (Stich 2019, Local SGD converges fast and
 * communicates little); with a single worker and plain `sgd` it is the lookahead optimizer (Zhang
 * et al. 2019).
 *
 * Gradients, clipping and the inner optimizer stay those of the worker: no communicator is passed
 * to what computes them. int32 parameters are passed on as they are.
 *
 * @throws for options that do not fit. `update` throws for parameters of another structure than in
 *   `init`, on all workers: where one has a change that is not finite, when they began with
 *   different parameters or made different numbers of updates
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { applyUpdates, selfCommunicator, sgd } from "@chronograd/nn";
 * import { localUpdates } from "@chronograd/nn/parallel";
 *
 * const local = localUpdates({
 *   communicator: selfCommunicator, // in a worker: its own
 *   updates: 2,
 *   optimizer: sgd({ learningRate: 0.5 }),
 * });
 * let params = { w: tensor([8]) };
 * let state = local.init(params);
 * const found = [];
 * for (let i = 0; i < 4; i++) {
 *   params = applyUpdates(params, { w: tensor([-1]) });
 *   [params, state] = local.update(params, state);
 *   found.push(params.w.item());
 * }
 * found; // => [7, 7, 6, 6]
 * ```
 */
export function localUpdates<Outer>(options: LocalUpdatesOptions<Outer>): LocalUpdates<Outer> {
  const name = "localUpdates";
  const where = "localUpdates.update";
  checkOptions(name, options, known);
  const { communicator, updates, optimizer } = options;
  if (typeof communicator?.allReduce !== "function") {
    throw new TypeError(
      `${name}: communicator must be that of this worker, such as selfCommunicator, got ${shown(communicator)}`,
    );
  }
  checkRank(communicator, name);
  checkWhole(updates, "updates", name);
  if (typeof optimizer?.init !== "function" || typeof optimizer.update !== "function") {
    throw new TypeError(
      `${name}: optimizer must be a transformation with init and update, such as sgd({ learningRate: 0.7, momentum: 0.9, nesterov: true }), got ${shown(optimizer)}`,
    );
  }

  /** The outer step, from the changes of all workers. */
  const averaged = (own: readonly Leaf[], state: LocalUpdatesState<Outer>, step: Tensor) => {
    const { start } = state;
    const now = new Map(own.map(({ path, w }) => [path, w]));
    const starts = tree.leavesWithPath(start);
    const changes = starts.map(([path, from]) => [path, from.sub(now.get(path)!)] as const);
    // Where another worker comes with something else, it is told by these names.
    const named = (path: string) => `${where}: the change of ${path || "the parameters"}`;
    const { reports, ...sums } = communicator.allReduce({
      ...Object.fromEntries(changes.map(([path, x]) => [named(path), x])),
      reports: placed(reportOf(step, starts, changes), communicator),
    });
    const paths = starts.map(([path]) => path);
    checkReports(reports, paths, where);
    const mean = tree.map(start, (_: Tensor, path) => {
      return (sums as Record<string, Tensor>)[named(path)]!.div(communicator.size);
    });
    const [moved, after] = optimizer.update(mean, state.optimizer, start);
    return { start: applyUpdates(start, moved), optimizer: after };
  };

  return {
    init(params) {
      const start = tree.map(params, (w: Tensor) => (w.dtype === "int32" ? null : w.clone()));
      return { step: initialStep(params), start, optimizer: optimizer.init(start) };
    },
    update(params, state) {
      refuseTracing(`${where} waits for other workers; call it outside of the function`);
      const leaves = leavesOf(
        { params, gradients: params, moments: { start: state?.start } },
        where,
      );
      checkState(state, ["start", "optimizer"], where);
      if (leaves.some(({ w }) => w.tape !== null)) {
        throw new TypeError(
          `${where}: the parameters are tracked by a tape, and those of other workers are not; detach them`,
        );
      }
      const step = stepAfter(state.step);
      if (step.item() % updates !== 0) {
        const next = { ...state, step };
        consumeState(state, next, where);
        return [params, next];
      }
      const { all, ...next } = scope(() => {
        const common = averaged(leaves, state, step);
        const copies = new Map(
          tree.leavesWithPath(common.start).map(([path, w]) => [path, w.clone()]),
        );
        const all = tree.map(params, (w: Tensor, path) => copies.get(path) ?? w) as typeof params;
        return { ...common, step, all };
      });
      consumeState(params, all, where);
      consumeState(state, next, where);
      return [all, next];
    },
  };
}
