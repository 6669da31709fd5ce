import { full, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { allocate, describeTensor, kernelsOf, place, takeOver } from "@chronograd/autodiff/extend";
import { checkLearningRate, rateAt } from "../schedules/schedule.ts";
import { checkFinite, homeOf } from "./finite.ts";
import { stepAfter, transformation } from "./ownership.ts";
import type { Addresses, Rule, Values } from "./rule.ts";
import type { GradientTransformation } from "./transformation.ts";
import { checkThere, passState, refilled, type Site, sitesOf } from "./walk.ts";

/**
 * What an optimizer remembers: the number of updates done, an int32 scalar, and by moment a tree of the structure of the
 * parameters, with `null` in the place of int32 ones.
 */
export type RuleState<Moment extends string> = { readonly step: Tensor } & {
  readonly [Name in Moment]: unknown;
};

/** The optimizer of a rule: the rule runs over each parameter. */
export function leafwise<Moment extends string>(
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
      const sites = sitesOf({ params, gradients, moments: trees }, where);
      checkState(state, moments, where);
      checkFinite(
        sites,
        where,
        'or set them to 0 with a clip function and { nonFinite: "zero" } before it',
      );
      const rate = rateAt(learningRate, state.step, name);
      const { step, updates, next } = isTracked(sites, state.step, rate)
        ? plain(rule, sites, state.step, rate)
        : fused(rule, sites, state.step, rate, isLast);
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

/** The first tensor of a tree, if there is one. */
export function firstTensor(nested: unknown): Tensor | undefined {
  return tree.leaves(nested)[0];
}

/** No updates done yet. */
export function initialStep(params: unknown): Tensor {
  const backend = firstTensor(params)?.backend;
  return tensor(0, { dtype: "int32", ...(backend && { backend }) });
}

/** Throws a sentence unless a state has the number of updates done, and no values but that and the moments. */
export function checkState(
  state: { readonly step: Tensor } | undefined,
  moments: readonly string[],
  where: string,
): void {
  const refuse = (what: string) => {
    throw new TypeError(`${where}: the state's ${what}; ${passState}`);
  };
  const step = state?.step;
  if (step?.dtype !== "int32" || step.size !== 1)
    return refuse(
      `step must be an int32 scalar, got ${step === undefined ? "nothing" : describeTensor(step)}`,
    );
  checkThere(step, "the state's step", where);
  const { backend, pointer } = step;
  if (backend.parent === null && backend.memory.views.int32[pointer / 4]! < 0)
    refuse(`step must be at least 0, got ${step.item()}`);
  for (const name in state) {
    if (name === "step" || moments.includes(name)) continue;
    if (firstTensor(state[name as "step"]) !== undefined)
      refuse(`"${name}" is of another rule, or of other options`);
  }
}

function isTracked(sites: readonly Site[], step: Tensor, rate: Tensor | number): boolean {
  const tracks = ({ tape }: Tensor) => tape !== null;
  return (
    tracks(step) ||
    (typeof rate !== "number" && tracks(rate)) ||
    sites.some(({ w, g, moments }) => tracks(w) || tracks(g) || moments.some(tracks))
  );
}

interface Outcome {
  readonly step: Tensor;
  readonly updates: readonly Tensor[];
  /** By moment. */
  readonly next: readonly (readonly Tensor[])[];
}

/** One kernel for each parameter. The moments are written in place, where nobody else has their bytes. */
function fused<Moment extends string>(
  rule: Rule<Moment>,
  sites: readonly Site[],
  before: Tensor,
  rate: Tensor | number,
  isLast: boolean,
): Outcome {
  const values = [before];
  const remembered = new Set<unknown>();
  for (const { w, g, moments } of sites) {
    values.push(w, g);
    for (const x of moments) {
      values.push(x);
      remembered.add(x.block);
    }
  }
  const isApart = sites.every(({ w, g }) => !remembered.has(g.block) && !remembered.has(w.block));
  const home = homeOf(values)!;
  if (typeof rate !== "number") homeOf([before, rate]);
  const step = stepAfter(before);
  const by = `${rule.name}.update`;
  const updates: Tensor[] = [];
  const next: Tensor[][] = rule.moments.map(() => []);
  for (const { w, g, moments } of sites) {
    const update = allocate(home, w.shape, w.dtype);
    update.block.window = g.block.window;
    updates.push(place(update));
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
      const moment = isLast && isApart ? takeOver(x, by) : x.clone();
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
  sites: readonly Site[],
  before: Tensor,
  rate: Tensor | number,
): Outcome {
  const step = stepAfter(before);
  const t = step.cast("float64");
  const found = sites.map(({ w, g, moments }) => {
    const own = Object.fromEntries(rule.moments.map((each, i) => [each, moments[i]!]));
    const scaled = typeof rate === "number" ? rate : rate.cast(w.dtype);
    return rule.plain({ w, g, t, rate: scaled, ...own } as Values<Moment>);
  });
  // A later update may consume a moment that is not tracked, and a tape that tracks the rate may read it.
  const apart = (x: Tensor) => (x.tape === null ? x.clone() : x);
  const next = rule.moments.map((each) => found.map((one) => apart(one[each] as Tensor)));
  return { step, updates: found.map(({ update }) => update), next };
}
