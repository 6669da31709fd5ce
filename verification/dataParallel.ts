import {
  dataParallel,
  notEqual,
  scope,
  type Tensor,
  tensor,
  tree,
  valueAndGrad,
  where,
  zeros,
} from "@chronograd/autodiff";
import type { Finding, Law } from "@chronograd/autodiff/testing";
import { crossEntropy, rng } from "@chronograd/nn";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";
import { oneOf } from "./truncation/problem.ts";

interface Weights {
  readonly w: Tensor;
  readonly g: Tensor;
}

/** Values of rows, classes, and weights, of which one is 0 as it often is at the start. */
function draw(seed: number, rows: number, ignored: boolean) {
  const random = rng(seed, "dataParallel");
  const normal = (...shape: number[]): Tensor => {
    const values = Float64Array.from({ length: shape.reduce((a, b) => a * b, 1) }, () =>
      random.normal(),
    );
    return tensor(values, { shape });
  };
  const label = () => (ignored && random.uniform() < 0.4 ? -100 : random.integer(0, 3));
  const t = tensor(Int32Array.from({ length: rows }, label));
  return { x: normal(rows, 3), t, p: { w: normal(3, 3), g: zeros([], { dtype: "float64" }) } };
}

const options = { axis: [null, 0, 0], out: "mean" } as const;

/** Functions whose shards have the mean of all rows as theirs. */
const means: readonly ((p: Weights, x: Tensor, t: Tensor) => Tensor)[] = [
  ({ w }, x, t) => crossEntropy(x.matmul(w), t),
  ({ w, g }, x, t) =>
    crossEntropy(x.matmul(w).tanh(), t, { reduction: "sum" }).div(x.shape[0]!).add(g),
];

/** Functions that have not. */
const coupled: readonly ((p: Weights, x: Tensor, t: Tensor) => Tensor)[] = [
  ({ w, g }, x) => x.matmul(w).square().mean().add(x.mean(0).square().sum().mul(g)),
  ({ w }, x) => x.matmul(w).square().mean().add(x.mean(0).square().sum().mul(1e-4)),
  ({ w }, x) => where(x.greater(x.mean(0)), x.matmul(w), 0).mean(),
  ({ w }, x) => x.matmul(w).sum(),
  ({ w }, x, t) => x.matmul(w).mean().mul(notEqual(t, 5).cast("float64").mean()).add(count(t)),
  ({ w }, x) =>
    x
      .matmul(w)
      .mean()
      .add(where(x.mean().greater(50), 1, 0)),
];

/** Rows of class 0, squared: their mean is not that of shards. */
function count(t: Tensor): Tensor {
  return t.equal(0).cast("float64").mean().square();
}

/** `dataParallel(f)` is `f`, or throws. */
export function dataParallelSubject(): Subject {
  const rows = [4, 6, 8, 12] as const;
  const alike: Law = {
    name: "shards",
    statement:
      "the mean of what shards of the rows give is what all rows give, also where some targets are ignored",
    bound: 1e-12,
    measure: (seed): Finding =>
      scope(() => {
        const tally = new Tally();
        for (const f of means) {
          const fast = dataParallel(valueAndGrad(f), { ...options, shards: 2, threads: 1 });
          for (const [i, ignored] of [false, true, false].entries()) {
            const { p, x, t } = draw(3 * seed + i, oneOf(rng(seed), rows), ignored);
            const [found, expected] = [fast(p, x, t), valueAndGrad(f)(p, x, t)];
            const others = tree.leaves(expected);
            for (const [leaf, y] of tree.leaves(found).entries()) {
              tally.list(y.toTypedArray(), others[leaf]!.toTypedArray(), `value ${leaf}`);
            }
          }
        }
        return tally;
      }),
  };
  const refused: Law = {
    name: "coupled",
    statement: "rows that depend on each other are refused, however little they show it at first",
    bound: 0,
    measure: (seed): Finding =>
      scope(() => {
        const tally = new Tally();
        for (const [i, f] of coupled.entries()) {
          const { p, x, t } = draw(seed, 8, false);
          let said = "nothing";
          try {
            dataParallel(f, { ...options, shards: 2, threads: 1 })(p, x, t);
          } catch (error) {
            said = String(error);
          }
          const isRefused = said.includes("rows depend on each other");
          tally.check(isRefused, () => `function ${i}: it says ${said}`);
        }
        const shifted = dataParallel((x: Tensor) => x.roll(1, 0), { axis: 0, out: 0, shards: 2 });
        let isShifted = true;
        try {
          shifted(zeros([4, 1]));
        } catch {
          isShifted = false;
        }
        tally.check(!isShifted, () => "rows that are shifted: it says nothing");
        return tally;
      }),
  };
  return { name: "dataParallel", group: "programs", laws: [alike, refused] };
}
