import { concat, type Tensor } from "@chronograd/autodiff";
import { type Initializer, init, type Rng } from "@chronograd/nn";
import type { Cell, CellSizes } from "../cell.ts";
import { defineLinearCell } from "../linear/defineLinearCell.ts";
import type { HiddenState } from "./elman.ts";

/** Parameters of a linear recurrent unit, with I inputs and outputs and H complex hidden units. */
export interface LruParams {
  /** `[3, H]`: rows `nu`, `theta` and `log gamma`. */
  readonly eigenvalues: Initializer;
  /** `[I, 2H]`: real parts, then imaginary parts. */
  readonly B: Initializer;
  /** `[2H, I]`: real parts above imaginary parts with their signs changed. */
  readonly C: Initializer;
  /** `[I]` */
  readonly D: Initializer;
}

/** Sizes of a linear recurrent unit, and the ring on which its eigenvalues start. */
export interface LruSizes extends CellSizes {
  /** Inner radius, from 0 to below `maxRadius`; 0 unless given. */
  readonly minRadius?: number;
  /** Outer radius, up to 1; 1 unless given. */
  readonly maxRadius?: number;
  /** Largest phase, above 0; 2 pi unless given. */
  readonly maxPhase?: number;
}

/**
 * Linear recurrent unit, a diagonal recurrence of complex numbers: `lambda = exp(-exp(nu) + i
 * exp(theta))`, `h_t = lambda h_{t-1} + gamma (B x_t)`, `y_t = Re(C h_t) + D x_t` (Orvieto et al.
 * 2023, Resurrecting recurrent neural networks for long sequences, section 3). As `exp(nu)` is
 * positive, `|lambda|` is below 1 whatever is learned. Eigenvalues start uniformly on a ring, and
 * gamma as `sqrt(1 - |lambda|^2)`, so that states have the variance of `B x`. The output has the
 * length of the input. The state is `[B, 2H]`, real parts and then imaginary parts. It takes a
 * whole sequence at once.
 *
 * @throws unless `0 <= minRadius < maxRadius <= 1` and `maxPhase` is above 0
 *
 * @example
 * ```ts
 * import { zeros } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { initialParams, lru, unroll } from "@chronograd/rnn";
 *
 * const cell = lru({ input: 3, hidden: 5, minRadius: 0.9, maxRadius: 0.999 });
 * const params = initialParams(cell, rng(1));
 * const { outputs, state } = unroll(cell, params, zeros([7, 2, 3]), { parallel: true });
 * [outputs.shape, state.h.shape]; // => [[7, 2, 3], [2, 10]]
 * ```
 */
export const lru: (sizes: LruSizes) => Cell<LruParams, HiddenState> = defineLinearCell({
  name: "lru",
  sizes: ["input", "hidden"],
  numbers: { minRadius: 0, maxRadius: 1, maxPhase: 2 * Math.PI },
  complex: true,
  params: ({ input, hidden, ...ring }): LruParams => ({
    eigenvalues: onRing(hidden, ring),
    B: init.normal((2 * input) ** -0.5, input, 2 * hidden),
    C: init.normal(hidden ** -0.5, 2 * hidden, input),
    D: init.normal(1, input),
  }),
  state: ({ hidden }: CellSizes): HiddenState => ({ h: init.zeros(2 * hidden) }),
  transition: ({ eigenvalues, B }, x: Tensor) => {
    const [nu, theta, logGamma] = [0, 1, 2].map((row) => eigenvalues.slice([row])) as [
      Tensor,
      Tensor,
      Tensor,
    ];
    const radius = nu.exp().neg().exp();
    const phase = theta.exp();
    const gamma = logGamma.exp();
    return {
      a: concat([radius.mul(phase.cos()), radius.mul(phase.sin())]),
      b: x.matmul(B).mul(concat([gamma, gamma])),
    };
  },
  output: ({ C, D }, h, x) => h.matmul(C).add(x.mul(D)),
});

type Ring = Required<Omit<LruSizes, keyof CellSizes>>;

/**
 * Above 0 and below 1: a radius or phase of exactly 0, or a radius of 1, has no finite logarithm.
 */
const inside = (random: Rng): number => Math.max(random.uniform(), 2 ** -40) * (1 - 2 ** -40);

/** Eigenvalues uniform in area between two radii (Orvieto et al. 2023, lemma 3.2). */
function onRing(hidden: number, { minRadius, maxRadius, maxPhase }: Ring): Initializer {
  if (!(minRadius >= 0 && minRadius < maxRadius && maxRadius <= 1 && maxPhase > 0)) {
    throw new RangeError(
      `lru: expected 0 <= minRadius < maxRadius <= 1 and maxPhase above 0, got ${minRadius}, ${maxRadius} and ${maxPhase}`,
    );
  }
  return {
    shape: [3, hidden],
    draw(random: Rng): Float64Array {
      const drawn = new Float64Array(3 * hidden);
      for (let k = 0; k < hidden; k++) {
        const square = minRadius ** 2 + inside(random) * (maxRadius ** 2 - minRadius ** 2);
        drawn[k] = Math.log(-0.5 * Math.log(square));
        drawn[hidden + k] = Math.log(maxPhase * inside(random));
        drawn[2 * hidden + k] = 0.5 * Math.log1p(-square);
      }
      return drawn;
    },
  };
}
