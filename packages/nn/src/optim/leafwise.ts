import { full, leaves, map, type Tensor, type Tree, tensor } from "@chronograd/autodiff";
import { allocate, kernelsOf, place, takeOver } from "@chronograd/autodiff/extend";
import { checkLearningRate, rateAt } from "../schedules/schedule.ts";
import { checkFinite, homeOf } from "./finite.ts";
import { stepAfter, transformation } from "./ownership.ts";
import type { Addresses, Rule, Values } from "./rule.ts";
import type { GradientTransformation } from "./transformation.ts";
import { checkThere, refilled, type Site, sitesOf } from "./walk.ts";

/** What an optimizer remembers: the number of updates done, an int32 scalar, and a tree like the parameters by moment. */
export type RuleState<Moment extends string> = { readonly step: Tensor } & {
  readonly [Name in Moment]: Tree;
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
        map(params, ({ dtype, shape, backend }: Tensor) =>
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
      checkStep(state?.step, where);
      checkFinite(
        sites.map(({ path, g }) => [path, g]),
        where,
        'or set them to 0 with a clip function and { nonFinite: "zero" } before it',
      );
      const { step, updates, next } = isTracked(sites, state.step)
        ? plain(rule, sites, state.step)
        : fused(rule, sites, state.step, isLast);
      const refill = (tree: unknown, values: readonly Tensor[]) => refilled(tree, values, params);
      const after = moments.map((each, i) => [each, refill(trees[each], next[i]!)]);
      return [
        refill(gradients, updates) as never,
        Object.fromEntries([["step", step], ...after]) as RuleState<Moment>,
      ];
    },
  });
}

/** The first tensor of a tree, if there is one. */
export function firstTensor(tree: unknown): Tensor | undefined {
  return leaves(tree)[0];
}

/** No updates done yet. */
export function initialStep(params: unknown): Tensor {
  const backend = firstTensor(params)?.backend;
  return tensor(0, { dtype: "int32", ...(backend && { backend }) });
}

/** Throws a sentence unless this is the number of updates done. */
export function checkStep(step: Tensor | undefined, where: string): void {
  if (step?.dtype === "int32" && step.size === 1)
    return checkThere(step, "the state's step", where);
  throw new TypeError(
    `${where}: the state's step must be an int32 scalar, got ${step === undefined ? "nothing" : String(step)}; pass what init(params), or the update before, returned`,
  );
}

function isTracked(sites: readonly Site[], step: Tensor): boolean {
  const tracks = ({ w, g, moments }: Site) => [w, g, ...moments].some(({ tape }) => tape !== null);
  return step.tape !== null || sites.some(tracks);
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
  isLast: boolean,
): Outcome {
  const home = homeOf([before, ...sites.flatMap(({ w, g, moments }) => [w, g, ...moments])])!;
  const rate = rateAt(rule.learningRate, before, rule.name);
  if (typeof rate !== "number" && home.parent !== null) homeOf([before, rate]);
  const numbers = typeof rate === "number" ? [0, rate] : [rate.pointer, 1];
  const step = stepAfter(before);
  const { name } = rule;
  const updates: Tensor[] = [];
  const next = sites.map(({ w, g, moments }) => {
    const update = allocate(home, w.shape, w.dtype);
    update.block.window = g.block.window;
    updates.push(place(update));
    const own = moments.map((x) => (isLast ? takeOver(x, `${name}.update`) : x.clone()));
    const at: Record<string, number> = {
      n: w.size,
      w: w.pointer,
      g: g.pointer,
      t: step.pointer,
      rate: numbers[0]!,
      factor: numbers[1]!,
      update: update.pointer,
    };
    for (const [i, moment] of rule.moments.entries()) at[moment] = own[i]!.pointer;
    rule.fused(kernelsOf(home, w), at as Addresses<Moment>);
    return own;
  });
  return { step, updates, next: rule.moments.map((_, i) => next.map((own) => own[i]!)) };
}

/** The same in ops, that tapes record. Nothing is consumed. */
function plain<Moment extends string>(
  rule: Rule<Moment>,
  sites: readonly Site[],
  before: Tensor,
): Outcome {
  const rate = rateAt(rule.learningRate, before, rule.name);
  const step = stepAfter(before);
  const t = step.cast("float64");
  const found = sites.map(({ w, g, moments }) => {
    const own = Object.fromEntries(rule.moments.map((each, i) => [each, moments[i]!]));
    const scaled = typeof rate === "number" ? rate : rate.cast(w.dtype);
    return rule.plain({ w, g, t, rate: scaled, ...own } as Values<Moment>);
  });
  const next = rule.moments.map((each) => found.map((one) => one[each] as Tensor));
  return { step, updates: found.map(({ update }) => update), next };
}
