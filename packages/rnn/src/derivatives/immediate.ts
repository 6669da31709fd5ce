import { type Tensor, tensor } from "@chronograd/autodiff";
import type { AnyTransition, Model } from "./model.ts";
import { groupsOf, type Sparsity } from "./sparsity.ts";
import { nameOfParameter } from "./vectors.ts";

/** `I_t = dh_t/dtheta` of step t alone, by a few pullbacks of each row: one for each group. */
export class Immediate {
  /** How many pullbacks it takes. */
  readonly groups: number;
  /** Which group a component of the state is in, int32 `[H]`. */
  readonly groupOf: Int32Array;
  readonly #model: Model;
  readonly #sparsity: Sparsity;
  /** `[groups, 1, H]`: 1 for the numbers of each group. */
  readonly #cotangents: Tensor;

  constructor(model: Model, sparsity: Sparsity) {
    const { size: H, like } = model;
    const { of, count } = groupsOf(sparsity, H);
    this.#model = model;
    this.#sparsity = sparsity;
    this.groups = count;
    this.groupOf = of;
    const ones = new Float64Array(count * H);
    of.forEach((group, i) => {
      ones[group * H + i] = 1;
    });
    this.#cotangents = tensor(ones, { shape: [count, 1, H], ...like });
  }

  /** The derivatives of a step, the numbers of a group added up: `[B, groups, P]`. */
  of(transition: AnyTransition): Tensor {
    const { rows, size } = transition;
    return transition.pullParams(this.#cotangents.broadcastTo([this.groups, rows, size]));
  }

  /**
   * Throws a sentence unless the derivatives of a step, by groups, give what a pullback of signs
   * gives: a parameter that moves what it did not move in the trials is found.
   */
  check(transition: AnyTransition, t: number): void {
    const { where, params, size: H, parameters: P, rows: B, like } = this.#model;
    const { immediate } = this.#sparsity;
    const signs = Float64Array.from({ length: H }, (_, i) => ((i * 7 + t) % 3 === 0 ? -1 : 1));
    const cotangent = tensor(signs, { shape: [1, 1, H], ...like }).broadcastTo([1, B, H]);
    const expected = transition.pullParams(cotangent).toTypedArray();
    const found = this.of(transition).toTypedArray();
    const bound = like.dtype === "float64" ? 1e-9 : 1e-3;
    for (let b = 0; b < B; b++) {
      for (let p = 0; p < P; p++) {
        let [sum, size] = [0, Math.abs(expected[b * P + p]!)];
        for (let i = 0; i < H; i++) {
          if (immediate[i * P + p] === 0) continue;
          const value = found[(b * this.groups + this.groupOf[i]!) * P + p]!;
          sum += signs[i]! * value;
          size += Math.abs(value);
        }
        if (!(Math.abs(sum - expected[b * P + p]!) > bound * size)) continue;
        throw new Error(
          `${where}: in step ${t}, the parameter ${nameOfParameter(params, p)} moves a part of the state that it moved in no random trial of the step, so the sparsity that was found does not hold; use rtrl or uoro, which assume none`,
        );
      }
    }
  }
}
