import { type Coefficients, coefficientsOf } from "./contributions.ts";
import { type Cuts, objectivesOf, type Part, type Setting, settingsOf } from "./definition.ts";

/** A mistake that an implementation may make. */
export type Mistake = readonly [
  /** The same for the same mistake in all windows. */
  kind: string,
  says: string,
  /** What it would compute. */
  coefficients: Coefficients,
];

/** What mistakes are about: one yielded gradient. */
export interface Situation {
  readonly setting: Setting;
  readonly cuts: Cuts;
  /** Tokens of every step's loss. */
  readonly counts: ArrayLike<number>;
  readonly window: number;
  readonly objective: readonly Part[];
}

/** Mistakes that choose other contributions, the likeliest first. */
export function* mistakes(situation: Situation): Generator<Mistake> {
  yield* cutsElsewhere(situation);
  yield* otherSettings(situation);
  yield* steps(situation);
  yield* lags(situation);
  yield* losses(situation);
  yield* severalSteps(situation);
}

function list(first: number, last: number): string {
  return first === last ? `step ${first}` : `steps ${first} to ${last}`;
}

function contribution(first: number, last: number): string {
  return `the contribution${first === last ? "" : "s"} of ${list(first, last)}`;
}

function* cutsElsewhere({ objective, setting, cuts }: Situation): Generator<Mistake> {
  const cutAt = (start: (part: Part) => number): Coefficients =>
    coefficientsOf(objective.map((part) => ({ ...part, start: start(part) })));
  const { burnIn } = cuts;
  if (burnIn > 0) {
    const says = `${contribution(1, burnIn)}, which ${burnIn === 1 ? "is" : "are"} the burn-in, ${burnIn === 1 ? "is" : "are"} in the gradient: the burn-in must run without one`;
    const found = cutAt(({ start }) => (start === burnIn ? 0 : start));
    yield ["burn-in with gradient", says, found];
  }
  if (setting.stale === "defer") {
    for (let k2 = 1; k2 <= cuts.steps; k2++) {
      if (k2 === cuts.k2) continue;
      const found = cutAt(({ end }) => Math.max(0, end - k2));
      yield k2 === cuts.steps
        ? ["not cut", "it is the gradient of full back-propagation: no window is cut", found]
        : [`k2 ${k2}`, `every window is cut as if k2 were ${k2}, not ${cuts.k2}`, found];
    }
    return;
  }
  const { start: s, end } = objective[0]!;
  if (s > 0) yield ["not cut", cutBefore(s, 0, end), cutAt(() => 0)];
  for (let d = 1; d < end; d++) {
    if (s >= d) yield [`cut ${-d}`, cutBefore(s, s - d, end), cutAt(() => s - d)];
    if (s + d >= end) continue;
    const [first, are] = d === 1 ? ["the first", "is"] : [`the first ${d}`, "are"];
    const missing = `${contribution(s + 1, s + d)}, ${first} after the cut at ${s}, ${are} missing`;
    const says = `${missing}: the state after step ${s + d} is held constant, as if k2 were ${end - s - d}`;
    yield [`cut +${d}`, says, cutAt(() => s + d)];
  }
}

/** In words: the cut is at `cut` where it should be at `s`. */
function cutBefore(s: number, cut: number, end: number): string {
  const [lies, is] = s - cut === 1 ? ["lies", "is"] : ["lie", "are"];
  const instead =
    cut === 0
      ? "the state at the cut is not held constant"
      : `the state after step ${cut} is held constant, not the one after step ${s}, as if k2 were ${end - cut}`;
  return `${contribution(cut + 1, s)}, which ${lies} before the cut at ${s}, ${is} in the gradient: ${instead}`;
}

const lossesOf = {
  new: "of the window's new steps",
  endpoint: "of the window's last step alone",
  window: "of all steps of the window",
} as const;

/** The same windows with other losses, another reduction, and those with other cuts. */
function* otherSettings(situation: Situation): Generator<Mistake> {
  const { setting, cuts, counts, window } = situation;
  const others = settingsOf({ stale: setting.stale }, cuts.k2).flatMap((other) => {
    const { losses, multiplicity, reduction } = other;
    const hasLosses = losses === setting.losses && multiplicity === setting.multiplicity;
    const hasReduction = reduction === setting.reduction;
    if (hasLosses && hasReduction) return [];
    let divided = multiplicity ? ", each divided by the windows it is in" : "";
    if (losses === setting.losses && !multiplicity)
      divided = ", not divided by the windows they are in";
    const those = `the losses are those ${lossesOf[losses]}${divided}`;
    const how = reduction === "sum" ? "added up, not averaged" : "averaged, not added up";
    let says = hasReduction ? those : `${those}, and they are ${how}`;
    if (hasLosses) says = `the losses are ${how}`;
    const kind = `${losses}${multiplicity ? " with multiplicity" : ""} ${reduction}`;
    const parts = objectivesOf(other, cuts, counts)[window]!;
    return [{ kind, says, parts, rank: Number(!hasReduction) }];
  });
  others.sort((a, b) => a.rank - b.rank);
  for (const { kind, says, parts } of others) yield [kind, says, coefficientsOf(parts)];
  for (const { kind, says, parts } of others) {
    for (const [cut, where, found] of cutsElsewhere({ ...situation, objective: parts })) {
      yield [`${kind}, ${cut}`, `${says}; and ${where}`, found];
    }
  }
}

/** One step's weights, left out or counted twice. */
function* steps({ objective, cuts, window }: Situation): Generator<Mistake> {
  const right = coefficientsOf(objective);
  const s = Math.min(...objective.map(({ start }) => start));
  const { weights: w } = objective[0]!;
  for (let step = 1; step <= cuts.steps; step++) {
    const kind = `step ${step - cuts.burnIn - window * cuts.k1}`;
    const says = contribution(step, step);
    const times =
      (factor: number): Coefficients =>
      (tau, t) =>
        (tau === step ? factor : 1) * right(tau, t);
    if (step > s) {
      const why = "its weights are not those that the gradient is of";
      yield [`${kind} missing`, `${says} is missing: ${why}`, times(0)];
      yield [`${kind} twice`, `${says} is counted twice`, times(2)];
    } else {
      const where = `which lies before the cut at ${s}, is in the gradient`;
      const found: Coefficients = (tau, t) => right(tau, t) + (tau === step ? w[t]! : 0);
      yield [`${kind} of before`, `${says}, ${where}`, found];
    }
  }
}

/** Losses that reach back a fixed number of steps, instead of to the window's cut. */
function* lags({ objective, setting, cuts }: Situation): Generator<Mistake> {
  const right = coefficientsOf(objective);
  const { weights: w } = objective[0]!;
  for (let lag = 1; lag < cuts.steps; lag++) {
    const says =
      lag === 1
        ? "nothing flows back from step to step: the state is held constant at every step"
        : `every loss reaches back ${lag} steps at most: the state is cut between steps of the window too`;
    yield [`lag ${lag}`, says, (tau, t) => (t - tau < lag ? right(tau, t) : 0)];
    if (setting.stale === "defer") continue;
    const own = `every loss reaches back ${lag} steps of its own, wherever the window begins`;
    yield [`lag ${lag} of every loss`, own, (tau, t) => (t - tau < lag ? w[t]! : 0)];
  }
}

/** Losses that are left out, counted twice, or taken from another window. */
function* losses({ objective, setting, cuts, window }: Situation): Generator<Mistake> {
  const right = coefficientsOf(objective);
  const newFrom = cuts.burnIn + window * cuts.k1;
  for (let step = 1; step <= cuts.steps; step++) {
    if (objective.every((part) => part.weights[step] === 0)) continue;
    for (const [factor, what] of [
      [0, "is missing"],
      [2, "is counted twice"],
    ] as const) {
      const found: Coefficients = (tau, t) => (t === step ? factor : 1) * right(tau, t);
      yield [`loss ${step - newFrom} ${what}`, `the loss of step ${step} ${what}`, found];
    }
  }
  if (setting.stale === "defer") {
    for (const i of objective.keys()) {
      const others = coefficientsOf(objective.toSpliced(i, 1));
      yield [`window ${i} missing`, `the gradient of window ${i} is missing`, others];
    }
    const last = coefficientsOf(objective.slice(-1));
    yield ["last window", "it is the gradient of the last window alone", last];
    return;
  }
  const { start: s, end, weights } = objective[0]!;
  for (let first = s + 1; first <= end; first++) {
    for (let last = first; last <= end; last++) {
      if (weights.subarray(first, last + 1).some((w) => w !== 0)) continue;
      const [loss, was, is] = first === last ? ["loss", "was", "is"] : ["losses", "were", "are"];
      const says = `the ${loss} of ${list(first, last)}, which ${was} in an earlier window, ${is} in this one too: a cotangent of an earlier sweep is still there`;
      const isLeft = (tau: number, t: number) => tau > s && t >= first && t <= last;
      yield [
        `losses ${first - newFrom} to ${last - newFrom}`,
        says,
        (tau, t) => right(tau, t) + Number(isLeft(tau, t)),
      ];
    }
  }
}

/** Two steps, or several in a row, left out. */
function* severalSteps({ objective }: Situation): Generator<Mistake> {
  const right = coefficientsOf(objective);
  const s = Math.min(...objective.map(({ start }) => start));
  const { end } = objective.at(-1)!;
  const without =
    (isOut: (tau: number) => boolean): Coefficients =>
    (tau, t) =>
      isOut(tau) ? 0 : right(tau, t);
  for (let a = s + 1; a <= end; a++) {
    for (let b = a + 1; b <= end; b++) {
      const row = without((tau) => tau >= a && tau <= b);
      yield ["steps in a row", `${contribution(a, b)} are missing`, row];
      const two = `the contributions of steps ${a} and ${b} are missing`;
      if (b > a + 1) yield ["two steps", two, without((tau) => tau === a || tau === b)];
    }
  }
}
