import { isTensor, type Tensor, tree } from "@chronograd/autodiff";
import { describeTensor, isLike } from "@chronograd/autodiff/internal";

/** How large an update is beside the weights. Plain data. */
export interface UpdateToWeightRatio {
  /**
   * By path of the parameter: the root mean square of the update over that of the weights, which is
   * the ratio of their Euclidean norms; `null` where all weights are 0.
   */
  readonly byParameter: Readonly<Record<string, number | null>>;
  /** The same of all parameters as one vector. */
  readonly total: number | null;
}

/**
 * The size of an update beside that of the weights: a training that goes well has about 1e-3
 * (Karpathy, Stanford CS231n, Neural networks part 3). Parameters of whole numbers are left out.
 *
 * @param updates what an optimizer's `update` gave, in the structure of `params`
 * @param params the parameters before the update; ask before `applyUpdates` consumes them
 * @throws for trees of other structures or shapes, and an update or a weight that is not finite,
 *   or a ratio that overflows
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { updateToWeightRatio } from "@chronograd/rnn/flow";
 *
 * const params = { W: tensor([3, 4]), b: tensor([0]) };
 * const updates = { W: tensor([0, 0.5]), b: tensor([0.25]) };
 * updateToWeightRatio(updates, params).byParameter; // => { W: 0.1, b: null }
 * ```
 */
export function updateToWeightRatio<Params>(updates: Params, params: Params): UpdateToWeightRatio {
  const where = "updateToWeightRatio";
  const given = new Map<string, Tensor>(tree.leavesWithPath(updates));
  const byParameter: Record<string, number | null> = {};
  const [ofUpdates, ofWeights]: [number[], number[]] = [[], []];
  const weights = tree.leavesWithPath(params);
  for (const [path, w] of weights) {
    const u = given.get(path);
    if (u === undefined || !isLike(u, w)) {
      throw new TypeError(
        `${where}: the parameter "${path}" is ${describeTensor(w)} and the update there ${isTensor(u) ? describeTensor(u) : "is missing"}; give the updates of these parameters`,
      );
    }
    if (w.dtype === "int32") continue;
    const [update, weight] = [normOf(where, "update", path, u), normOf(where, "weight", path, w)];
    ofUpdates.push(update);
    ofWeights.push(weight);
    byParameter[path] = ratioOf(where, `"${path}"`, update, weight);
  }
  if (given.size !== weights.length) {
    throw new TypeError(
      `${where}: the updates have ${given.size} tensors, and the parameters ${weights.length}; give the updates of these parameters`,
    );
  }
  const weight = Math.hypot(...ofWeights);
  return { byParameter, total: ratioOf(where, "all parameters", Math.hypot(...ofUpdates), weight) };
}

/** The ratio of two norms; `null` where the weights are 0. */
function ratioOf(where: string, what: string, update: number, weight: number): number | null {
  if (weight === 0) return null;
  const ratio = update / weight;
  if ([update, weight, ratio].every(Number.isFinite)) return ratio;
  throw new RangeError(
    `${where}: the update of ${what} has the norm ${update}, and the weights ${weight}, whose ratio overflows; clip gradients, or lower the learning rate`,
  );
}

/** The Euclidean norm, whatever the scale of the elements. */
function normOf(where: string, what: string, path: string, x: Tensor): number {
  const values = x.toTypedArray();
  let largest = 0;
  for (const value of values) {
    if (!Number.isFinite(value)) {
      throw new RangeError(
        `${where}: the ${what} of "${path}" holds ${value}; clip gradients, or lower the learning rate`,
      );
    }
    largest = Math.max(largest, Math.abs(value));
  }
  if (largest === 0) return 0;
  let squares = 0;
  for (const value of values) squares += (value / largest) ** 2;
  return largest * Math.sqrt(squares);
}
