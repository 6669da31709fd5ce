import { type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { Immediate } from "../../derivatives/immediate.ts";
import type { Model } from "../../derivatives/model.ts";
import type { Sparsity } from "../../derivatives/sparsity.ts";
import type { Influence } from "./influence.ts";

/** What of S is kept, and which paths it grows along. */
export interface Kept {
  /** H x P, row-major: 1 where an element of S is kept. */
  readonly elements: Uint8Array;
  /** `[H]`: 1 where the state before a step counts, 0 where it is taken for a constant. */
  readonly through: Uint8Array;
  readonly description: string;
}

/**
 * S with only some of its elements, the others taken for 0: element (i, p) grows by
 * `sum over k of J[i, k] S[k, p]`, over the kept ones of its parameter. Kept as `[B, E]` for E
 * elements; a step costs as many multiplications as there are pairs of them.
 */
export function maskedInfluence(
  model: Model,
  sparsity: Sparsity,
  { elements, through, description }: Kept,
): Influence<Tensor> {
  const { rows: B, size: H, parameters: P, like, numberBytes } = model;
  const immediate = new Immediate(model, sparsity);
  /** Components of the state and parameters of the elements, parameter by parameter. */
  const units: number[] = [];
  const owners: number[] = [];
  /** Pairs of an element and one that it grows by, and the place of its factor in J. */
  const [into, from, factors]: [number[], number[], number[]] = [[], [], []];
  /** The elements that a step moves at once, and where those derivatives stand. */
  const [moved, places]: [number[], number[]] = [[], []];
  for (let p = 0; p < P; p++) {
    const first = units.length;
    for (let i = 0; i < H; i++) {
      if (elements[i * P + p] === 0) continue;
      if (sparsity.immediate[i * P + p] === 1) {
        moved.push(units.length);
        places.push(immediate.groupOf[i]! * P + p);
      }
      units.push(i);
      owners.push(p);
    }
    for (let e = first; e < units.length; e++) {
      for (let k = first; k < units.length; k++) {
        if (through[units[k]!] === 0 || sparsity.transition[units[e]! * H + units[k]!] === 0)
          continue;
        into.push(e);
        from.push(k);
        factors.push(units[e]! * H + units[k]!);
      }
    }
  }
  const E = units.length;
  const { backend } = like;
  const indices = (list: readonly number[]) => tensor(Int32Array.from(list), { backend });
  const at = {
    units: indices(units),
    owners: indices(owners),
    into: indices(into),
    from: indices(from),
    factors: indices(factors),
    moved: indices(moved),
    places: indices(places),
  };
  const all = moved.length === E;
  const counted = tensor(
    Float64Array.from(units, (unit) => through[unit]!),
    like,
  );
  return {
    signs: 0,
    bytes: numberBytes * B * (3 * into.length + 4 * E + H * H + 2 * immediate.groups * P),
    description: `${E} of ${H * P} elements of S = dh/dtheta (${description}), ${immediate.groups} ${immediate.groups === 1 ? "pullback" : "pullbacks"} of a row`,
    start: () => zeros([B, E], like),
    credit(S, cotangent) {
      const shares = cotangent.gather(at.units, 1).mul(counted).mul(S).sum(0);
      return zeros([P], like).scatterAdd(at.owners, shares);
    },
    next(S, transition) {
      const derivatives = immediate.of(transition).reshape([B, -1]).gather(at.places, 1);
      const own = all ? derivatives : zeros([B, E], like).scatterAdd(at.moved, derivatives, 1);
      if (into.length === 0) return own;
      const J = transition.jacobian().reshape([B, H * H]);
      const grown = J.gather(at.factors, 1).mul(S.gather(at.from, 1));
      return own.scatterAdd(at.into, grown, 1);
    },
    check: (transition, t) => immediate.check(transition, t),
  };
}
