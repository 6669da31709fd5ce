import { einsum, type Tensor, tensor, where, zeros } from "@chronograd/autodiff";
import type { Cell, Values } from "../../cell.ts";
import { Immediate } from "../../derivatives/immediate.ts";
import type { AnyTransition, Model } from "../../derivatives/model.ts";
import { type Sparsity, sparsityOf } from "../../derivatives/sparsity.ts";
import { floatsWithPaths } from "../../derivatives/vectors.ts";
import type { AsyncStepSource, StepSource } from "../../truncated/stream.ts";
import type { Window, Windows } from "../../truncated/window.ts";
import { balanced } from "./balance.ts";
import { forwardWindows } from "./forwardWindows.ts";
import type { Influence } from "./influence.ts";
import type { RandomForwardOptions } from "./options.ts";

/**
 * Kronecker-factored real-time recurrent learning: of `S = dh/dtheta` the part of each parameter
 * matrix as the mean of a product `u x A`, of a vector over its rows and a matrix
 * (Mujika, Meier & Steger 2018, "Approximating real-time recurrent learning with random Kronecker
 * factors").
 *
 * It takes cells in which each parameter matrix multiplies one vector in a step, so that
 * `I = a x D`; here each matrix and each vector of parameters has factors of its own. With a random
 * sign c, `u_t = r u_{t-1} + c q a` and `A_t = J A_{t-1} / r + c D / q`; the scales r and q are
 * quotients of norms. The gradient is unbiased as long as the weights stay, with less variance than
 * that of `uoro`. A matrix `[K, M]` takes `B (K + H M)` numbers, and a step about `B H^2 M`
 * multiplications.
 *
 * @param cell the model: a cell, or a `sequential` of cells and layers
 * @param params its parameters, as in `truncated`
 * @param stream steps, as in `truncated`
 * @returns windows, as those of `truncated`, whose gradients reach back to the beginning
 * @throws as `rtrl`, without a generator for the signs, and for a cell that has not the form, such
 *   as one with convolutions: the parameter is named
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { initialParams, lstm } from "@chronograd/rnn";
 * import { kfRtrl } from "@chronograd/rnn/estimators";
 *
 * const cell = lstm({ input: 1, hidden: 2 });
 * const params = initialParams(cell, rng(1));
 * const target = tensor([[0, 0]]);
 * const steps = [1, 2, 3].map((x) => ({ input: tensor([[x]]), target }));
 * const windows = kfRtrl(cell, params, steps, {
 *   k1: 1,
 *   draws: rng(2, "kfRtrl"),
 *   loss: (y, target) => y.sub(target).square(),
 * });
 * Array.from(windows, (window) => window.end); // => [1, 2, 3]
 * ```
 */
export function kfRtrl<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: AsyncStepSource<X, Target>,
  options: RandomForwardOptions<State, Y, Target>,
): AsyncGenerator<Window<Values<Params>, Values<State>>, void>;
export function kfRtrl<Params, State, X = Tensor, Y = Tensor, Target = Tensor>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target>,
  options: RandomForwardOptions<State, Y, Target>,
): Generator<Window<Values<Params>, Values<State>>, void>;
export function kfRtrl<Params, State, X, Y, Target>(
  cell: Cell<Params, State, X, Y>,
  params: Values<Params> | (() => Values<Params>),
  stream: StepSource<X, Target> | AsyncStepSource<X, Target>,
  options: RandomForwardOptions<State, Y, Target>,
): Windows<Values<Params>, Values<State>> | AsyncGenerator<Window<Values<Params>, Values<State>>> {
  return forwardWindows("kfRtrl", kroneckerInfluence, cell, params, stream, options, ["draws"]);
}

interface Factors {
  /** `[B, K]` */
  readonly u: Tensor;
  /** `[B, H, M]` */
  readonly A: Tensor;
}

/** A matrix of parameters `[K, M]` that moves the state; a vector is one row. */
interface Matrix {
  readonly path: string;
  /** Where it begins among all parameters. */
  readonly from: number;
  readonly K: number;
  readonly M: number;
  /** `[H, M]`: 1 where its columns move a component of the state. */
  readonly columns: Tensor;
}

function kroneckerInfluence(model: Model): Influence<readonly Factors[]> {
  const { where: name, rows: B, size: H, parameters: P, like, numberBytes } = model;
  const sparsity = sparsityOf(model);
  const immediate = new Immediate(model, sparsity);
  const matrices = matricesOf(model, sparsity);
  const groupOf = tensor(immediate.groupOf, { backend: like.backend });

  /** The factors a and D of `I = a x D` in a step: D is the largest row, and a the shares of it. */
  function factorsOf({ from, K, M, columns }: Matrix, derivatives: Tensor) {
    const own = derivatives
      .slice([null, null, [from, from + K * M]])
      .reshape([B, -1, K, M])
      .transpose([0, 2, 1, 3])
      .reshape([B, K, -1]);
    const largest = own.square().sum(2).argmax(1).reshape([B, 1]);
    const row = own.gather(largest, 1, { batchDims: 1 });
    const square = row.square().sum(2, { keepDims: true });
    const a = own
      .mul(row)
      .sum(2)
      .div(where(square.equal(0), 1, square).reshape([B, 1]));
    const D = row.reshape([B, -1, M]).gather(groupOf, 1).mul(columns);
    return { own, a, row, D };
  }

  return {
    signs: B * matrices.length,
    bytes:
      numberBytes *
      B *
      (H * H +
        matrices.reduce(
          (sum, { K, M }) => sum + (2 * K + 5 * H * M) + 3 * immediate.groups * K * M,
          0,
        )),
    description: `S = dh/dtheta as Kronecker products for ${matrices.map(({ path, K, M }) => `"${path}" [${K}] x [${H}, ${M}]`).join(", ")}`,
    start: () =>
      matrices.map(({ K, M }) => ({ u: zeros([B, K], like), A: zeros([B, H, M], like) })),
    credit(factors, cotangent) {
      let gradient = zeros([P], like);
      matrices.forEach(({ from, K, M }, i) => {
        const { u, A } = factors[i]!;
        const part = einsum("bk,bm->km", u, einsum("bh,bhm->bm", cotangent, A)).reshape([K * M]);
        gradient = gradient.add(part.pad([[from, P - from - K * M]]));
      });
      return gradient;
    },
    next(factors, transition, given) {
      if (matrices.length === 0) return [];
      const derivatives = immediate.of(transition);
      const J = transition.jacobian();
      const signs = given!.reshape([matrices.length, B, 1]);
      return matrices.map((matrix, i) => {
        const { u, A } = factors[i]!;
        const { a, D } = factorsOf(matrix, derivatives);
        const [earlierA, earlierU] = balanced(J.matmul(A), u);
        const [ownA, ownU] = balanced(D, a);
        const sign = signs.slice([i]);
        return {
          u: earlierU.add(ownU.mul(sign)),
          A: earlierA.add(ownA.mul(sign.reshape([B, 1, 1]))),
        };
      });
    },
    check(transition, t) {
      immediate.check(transition, t);
      checkForm(transition, t);
    },
  };

  /** Throws a sentence unless a step has the form that the factors assume. */
  function checkForm(transition: AnyTransition, t: number): void {
    const derivatives = immediate.of(transition);
    const bound = like.dtype === "float64" ? 1e-9 : 1e-3;
    for (const matrix of matrices) {
      const { own, a, row } = factorsOf(matrix, derivatives);
      const rest = own
        .sub(a.reshape([B, -1, 1]).mul(row))
        .abs()
        .max()
        .item();
      if (!(rest > bound * own.abs().max().item())) continue;
      throw formError(name, matrix.path, `in step ${t} it multiplies more than one vector`);
    }
  }
}

function formError(where: string, path: string, why: string): TypeError {
  return new TypeError(
    `${where}: the parameter "${path}" has not the form of a matrix that multiplies one vector in a step: ${why}; use uoro or snap, which take any cell`,
  );
}

/** The matrices that move the state; their columns must do so whatever their row. */
function matricesOf(model: Model, { immediate }: Sparsity): Matrix[] {
  const { where: name, size: H, parameters: P, like } = model;
  const matrices: Matrix[] = [];
  let from = 0;
  for (const [path, x] of floatsWithPaths(model.params)) {
    const M = x.shape.at(-1) ?? 1;
    const K = x.size / M;
    const columns = new Float64Array(H * M);
    for (let i = 0; i < H; i++) {
      for (let m = 0; m < M; m++) {
        const at = i * P + from + m;
        columns[i * M + m] = immediate[at]!;
        for (let k = 1; k < K; k++) {
          if (immediate[at + k * M] === immediate[at]) continue;
          throw formError(name, path, "its rows move other parts of the state");
        }
      }
    }
    if (columns.includes(1)) {
      matrices.push({
        path,
        from,
        K,
        M,
        columns: tensor(columns, { shape: [H, M], ...like }),
      });
    }
    from += x.size;
  }
  return matrices;
}
