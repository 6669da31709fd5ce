import { full, type Tensor, tree } from "@chronograd/autodiff";
import { kernelsOf } from "@chronograd/autodiff/extend";
import { allocate, donate, giveOwner } from "@chronograd/autodiff/internal";
import { checkLearningRate, rateAt } from "../schedules/schedule.ts";
import { transformation } from "./consumeState.ts";
import { checkFinite, homeOf } from "./finite.ts";
import { type Leaf, leavesOf, refilled } from "./leaves.ts";
import type { Addresses, Rule, Values } from "./rule.ts";
import { checkState, initialStep, stepAfter } from "./stepCount.ts";
import type { GradientTransformation } from "./transformation.ts";

/**
 * What an optimizer remembers: the number of updates done, an int32 scalar, and by moment a tree of
 * the structure of the parameters, with `null` in the place of int32 ones.
 */
export type RuleState<Moment extends string> = { readonly step: Tensor } & {
  readonly [Name in Moment]: unknown;
};

/** The optimizer of a rule, which runs over each parameter. */
export function fromRule<Moment extends string>(
  rule: Rule<Moment>,
): GradientTransformation<RuleState<Moment>> {
  const { name, learningRate, moments, start = 0 } = rule;
  checkLearningRate(learningRate, name);
  const where = `${name}.update`;
  return transformation<RuleState<Moment>>(name, {
    init(params) {
      const moment = () =>
        tree.map(params, ({ dtype, shape, backend }: Tensor) =>
          dtype === "int32" ? null : full(shape, start, { dtype, backend }),
        );
      return Object.fromEntries([
        ["step", initialStep(params)],
        ...moments.map((each) => [each, moment()]),
      ]) as RuleState<Moment>;
    },
    step(gradients, state, params, isLast) {
      const trees = Object.fromEntries(moments.map((each) => [each, state?.[each]]));
      const leaves = leavesOf({ params, gradients, moments: trees }, where);
      checkState(state, moments, where);
      checkFinite(
        leaves,
        where,
        'or set them to 0 with a clip function and { nonFinite: "zero" } before it',
      );
      const rate = rateAt(learningRate, state.step, name);
      const { step, updates, next } = isTracked(leaves, state.step, rate)
        ? plain(rule, leaves, state.step, rate)
        : fused(rule, leaves, state.step, rate, isLast);
      const refill = (nested: unknown, values: readonly Tensor[]) =>
        refilled(nested, values, params);
      const after = moments.map((each, i) => [each, refill(trees[each], next[i]!)]);
      return [
        refill(gradients, updates) as never,
        Object.fromEntries([["step", step], ...after]) as RuleState<Moment>,
      ];
    },
  });
}

function isTracked(leaves: readonly Leaf[], step: Tensor, rate: Tensor | number): boolean {
  const tracks = ({ tape }: Tensor) => tape !== null;
  return (
    tracks(step) ||
    (typeof rate !== "number" && tracks(rate)) ||
    leaves.some(({ w, g, moments }) => tracks(w) || tracks(g) || moments.some(tracks))
  );
}

interface Outcome {
  readonly step: Tensor;
  readonly updates: readonly Tensor[];
  /** By moment. */
  readonly next: readonly (readonly Tensor[])[];
}

/**
 * One kernel for each parameter. The moments are written in place, where nobody else has their
 * bytes.
 */
function fused<Moment extends string>(
  rule: Rule<Moment>,
  leaves: readonly Leaf[],
  before: Tensor,
  rate: Tensor | number,
  isLast: boolean,
): Outcome {
  const values = [before];
  const remembered = new Set<unknown>();
  for (const { w, g, moments } of leaves) {
    values.push(w, g);
    for (const x of moments) {
      values.push(x);
      remembered.add(x.block);
    }
  }
  const isApart = leaves.every(({ w, g }) => !remembered.has(g.block) && !remembered.has(w.block));
  const home = homeOf(values)!;
  if (typeof rate !== "number") homeOf([before, rate]);
  const step = stepAfter(before);
  const by = `${rule.name}.update`;
  const updates: Tensor[] = [];
  const next: Tensor[][] = rule.moments.map(() => []);
  for (const { w, g, moments } of leaves) {
    const update = allocate(home, w.shape, w.dtype);
    update.block.window = g.block.window;
    updates.push(giveOwner(update));
    const at: Record<string, number> = {
      n: w.size,
      w: w.pointer,
      g: g.pointer,
      t: step.pointer,
      rate: typeof rate === "number" ? 0 : rate.pointer,
      factor: typeof rate === "number" ? rate : 1,
      update: update.pointer,
    };
    for (const [i, x] of moments.entries()) {
      const moment = isLast && isApart ? donate(x, by) : x.clone();
      next[i]!.push(moment);
      at[rule.moments[i]!] = moment.pointer;
    }
    rule.fused(kernelsOf(home, w), at as Addresses<Moment>);
  }
  return { step, updates, next };
}

/** The same in ops, that tapes record. Nothing is consumed. */
function plain<Moment extends string>(
  rule: Rule<Moment>,
  leaves: readonly Leaf[],
  before: Tensor,
  rate: Tensor | number,
): Outcome {
  const step = stepAfter(before);
  const t = step.cast("float64");
  const found = leaves.map(({ w, g, moments }) => {
    const own = Object.fromEntries(rule.moments.map((each, i) => [each, moments[i]!]));
    const scaled = typeof rate === "number" ? rate : rate.cast(w.dtype);
    return rule.plain({ w, g, t, rate: scaled, ...own } as Values<Moment>);
  });
  // A later update may consume a moment that is not tracked, and a tape that tracks the rate may
  // read it.
  const apart = (x: Tensor) => (x.tape === null ? x.clone() : x);
  const next = rule.moments.map((each) => found.map((one) => apart(one[each] as Tensor)));
  return { step, updates: found.map(({ update }) => update), next };
}
