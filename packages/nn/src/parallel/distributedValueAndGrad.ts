import {
  type MapTree,
  scope,
  type Tensor,
  tensor,
  tree,
  type ValueAndGradient,
  valueAndGrad,
} from "@chronograd/autodiff";
import { checkOptions, refuseTracing } from "@chronograd/autodiff/internal";
import { shown } from "../checks.ts";
import { type Communicator, checkRank } from "./communicator.ts";

/** Options of `distributedValueAndGrad`. */
export interface DistributedOptions<Rest extends unknown[]> {
  /** The workers, each of which calls the function with rows of its own. */
  readonly communicator: Communicator;
  /**
   * How many rows, or tokens, a value of `f` is the mean of, from the arguments after the first: a
   * finite number of at least 0. With 0, as where a worker has no row of a small batch, `f` is not
   * called.
   */
  readonly weight: (...rest: Rest) => number;
}

const where = "distributedValueAndGrad";

/**
 * `valueAndGrad` of a mean over the rows of all workers, when each calls it with its own: value and
 * gradient are `sum_r w_r v_r / sum_r w_r` over the workers r, where `v_r` is the mean over the
 * rows of worker r and `w_r` their number. Every worker gets the same bits. Alone it is
 * `valueAndGrad`, bit for bit, but for the value, which is a number.
 *
 * It is a collective: all workers must call it, in the same order, with the same first argument. So
 * they begin with the same parameters, as from one seed, and stay alike (synchronous data
 * parallelism, as `DistributedDataParallel` of PyTorch: Li et al. 2020, PyTorch distributed). Not
 * compiled: in a compiled function it runs as it is.
 *
 * @param f from a tree of tensors and this worker's rows to the mean over these rows, a scalar
 * @returns a function that gives the value, as a number, and the gradient, on no tape
 * @throws for options that do not fit. The function throws for a weight that is not finite or below
 *   0, where all weights together are 0 or overflow, and where `f` depends on what another tape
 *   tracks
 *
 * @example
 * ```ts
 * import { type Tensor, tensor } from "@chronograd/autodiff";
 * import { selfCommunicator } from "@chronograd/nn";
 * import { distributedValueAndGrad, shardList } from "@chronograd/nn/parallel";
 *
 * const communicator = selfCommunicator; // in a program of several ranks: mpi()
 * const loss = (w: Tensor, rows: readonly number[]) => tensor([...rows]).sub(w).square().mean();
 * const weight = (rows: readonly number[]) => rows.length;
 * const lossOf = distributedValueAndGrad(loss, { communicator, weight });
 *
 * const batch = [1, 3, 5];
 * const [value, gradient] = lossOf(tensor(3), shardList(batch, communicator));
 * [value.toFixed(4), gradient.item()]; // => ["2.6667", 0]
 * ```
 */
export function distributedValueAndGrad<T = Tensor, Rest extends unknown[] = []>(
  f: (x: MapTree<T, Tensor>, ...rest: Rest) => Tensor,
  options: DistributedOptions<Rest>,
): ValueAndGradient<T, Rest, number> {
  checkOptions(where, options, ["communicator", "weight"]);
  const { communicator, weight } = options;
  if (typeof communicator?.allReduce !== "function") {
    throw new TypeError(
      `${where}: communicator must be that of this worker, such as mpi() or selfCommunicator, got ${shown(communicator)}`,
    );
  }
  checkRank(communicator, where);
  if (typeof f !== "function") {
    throw new TypeError(
      `${where}: expected a function of tensors and of this worker's rows, got ${shown(f)}`,
    );
  }
  if (typeof weight !== "function") {
    throw new TypeError(
      `${where}: weight must be a function that counts the rows of a call, such as (rows) => rows.length, got ${shown(weight)}`,
    );
  }
  const ofRows = valueAndGrad<T, Rest>(f);
  // Of no row: zeros in the structure of the gradient.
  const ofNone = valueAndGrad<T, Rest>(() => tensor(0));
  return (x, ...rest) => {
    refuseTracing(`${where} waits for other workers; call it outside of the function`);
    const own = weight(...rest);
    if (!Number.isFinite(own) || own < 0) {
      throw new RangeError(
        `${where}: weight must give a finite number of at least 0, how many rows the call has, got ${shown(own)}`,
      );
    }
    return scope(() => {
      const total = communicator.size === 1 ? own : communicator.allReduce(own);
      if (total === 0 || total === Infinity) {
        throw new RangeError(
          `${where}: the weights of all workers add up to ${total}, and a mean of so many rows is none; leave empty batches out, and count rows or tokens`,
        );
      }
      const [value, gradient] = (own === 0 ? ofNone : ofRows)(x, ...rest);
      if ([value, ...tree.leaves(gradient)].some((part) => part.tape !== null)) {
        throw new TypeError(
          `${where}: its function depends on what another tape tracks, and that of other workers does not; detach it, or call this outside of other gradients`,
        );
      }
      if (communicator.size === 1) return [value.item(), gradient];
      // Before the sum, so that large gradients do not overflow.
      const share = own / total;
      const part = {
        value: share * value.item(),
        gradient: tree.map(gradient, (g: Tensor) => g.mul(share)) as typeof gradient,
      };
      const sums = communicator.allReduce(part);
      return [sums.value, sums.gradient];
    });
  };
}
