import { type Cuts, objectivesOf, type Part, type Setting } from "./definition.ts";
import { type Coefficients, coefficientsOf } from "./table.ts";

/** A mistake that an implementation may make: what it would compute, and how to say so. */
export interface Hypothesis {
  /** The same for the same mistake in all windows. */
  readonly kind: string;
  readonly says: string;
  readonly coefficients: Coefficients;
}

/** What hypotheses are about: one yielded gradient. */
export interface Situation {
  readonly setting: Setting;
  readonly cuts: Cuts;
  /** Tokens of every step's loss. */
  readonly counts: ArrayLike<number>;
  readonly window: number;
  readonly objective: readonly Part[];
}

/** Mistakes that choose other contributions, the likeliest first. */
export function* hypotheses(situation: Situation): Generator<Hypothesis> {
  yield* cutsElsewhere(situation);
  yield* otherSettings(situation);
  yield* steps(situation);
  yield* lags(situation);
  yield* losses(situation);
  yield* several(situation);
}

function list(first: number, last: number): string {
  return first === last ? `step ${first}` : `steps ${first} to ${last}`;
}

function contribution(first: number, last: number): string {
  return first === last
    ? `the contribution of step ${first}`
    : `the contributions of ${list(first, last)}`;
}

/** The same parts with their cuts after other steps. */
function cutAt(parts: readonly Part[], start: (part: Part) => number): Coefficients {
  return coefficientsOf(parts.map((part) => ({ ...part, start: start(part) })));
}

function* cutsElsewhere({ objective, setting, cuts }: Situation): Generator<Hypothesis> {
  if (setting.stale === "defer") {
    for (let k2 = 1; k2 <= cuts.steps; k2++) {
      if (k2 === cuts.k2) continue;
      const full = k2 === cuts.steps;
      yield {
        kind: full ? "not cut" : `k2 ${k2}`,
        says: full
          ? "it is the gradient of full back-propagation: no window is cut"
          : `every window is cut as if k2 were ${k2}, not ${cuts.k2}`,
        coefficients: cutAt(objective, ({ end }) => Math.max(0, end - k2)),
      };
    }
    return;
  }
  const { start: s, end } = objective[0]!;
  if (s > 0)
    yield { ...before(s, 0, end), kind: "not cut", coefficients: cutAt(objective, () => 0) };
  for (let distance = 1; distance < end; distance++) {
    if (s - distance >= 0) {
      const coefficients = cutAt(objective, () => s - distance);
      yield { ...before(s, s - distance, end), kind: `cut ${-distance}`, coefficients };
    }
    if (s + distance < end) {
      const first = distance === 1 ? "the first" : `the first ${distance}`;
      yield {
        kind: `cut +${distance}`,
        says: `${contribution(s + 1, s + distance)}, ${first} after the cut at ${s}, ${distance === 1 ? "is" : "are"} missing: the state after step ${s + distance} is held constant, as if k2 were ${end - s - distance}`,
        coefficients: cutAt(objective, () => s + distance),
      };
    }
  }
}

/** In words: the cut is at `cut` where it should be at `s`. */
function before(s: number, cut: number, end: number): { readonly says: string } {
  const [lies, is] = s - cut === 1 ? ["lies", "is"] : ["lie", "are"];
  const instead =
    cut === 0
      ? "the state at the cut is not held constant"
      : `the state after step ${cut} is held constant, not the one after step ${s}, as if k2 were ${end - cut}`;
  return {
    says: `${contribution(cut + 1, s)}, which ${lies} before the cut at ${s}, ${is} in the gradient: ${instead}`,
  };
}

const meanings = {
  new: "of the window's new steps",
  endpoint: "of the window's last step alone",
  window: "of all steps of the window",
} as const;

/** The same windows with other losses, another reduction, and those with other cuts. */
function* otherSettings(situation: Situation): Generator<Hypothesis> {
  const { setting, cuts, counts, window } = situation;
  const others: [kind: string, says: string, parts: readonly Part[]][] = [];
  for (const reduction of [
    setting.reduction,
    setting.reduction === "sum" ? "mean" : "sum",
  ] as const) {
    for (const losses of ["new", "endpoint", "window"] as const) {
      for (const multiplicity of losses === "window" && Number.isFinite(cuts.k2)
        ? [false, true]
        : [false]) {
        const other: Setting = { stale: setting.stale, losses, multiplicity, reduction };
        const hasLosses = losses === setting.losses && multiplicity === setting.multiplicity;
        if (hasLosses && reduction === setting.reduction) continue;
        const words: string[] = [];
        if (!hasLosses) {
          const divided = multiplicity
            ? ", each divided by the windows it is in"
            : losses === setting.losses
              ? ", not divided by the windows they are in"
              : "";
          words.push(`the losses are those ${meanings[losses]}${divided}`);
        }
        if (reduction !== setting.reduction) {
          words.push(
            `they are ${reduction === "sum" ? "added up, not averaged" : "averaged, not added up"}`,
          );
        }
        const says =
          words.length === 2 ? words.join(", and ") : words[0]!.replace(/^they/, "the losses");
        const kind = `${losses}${multiplicity ? " with multiplicity" : ""} ${reduction}`;
        others.push([kind, says, objectivesOf(other, cuts, counts)[window]!]);
      }
    }
  }
  for (const [kind, says, parts] of others) {
    yield { kind, says, coefficients: coefficientsOf(parts) };
  }
  for (const [kind, says, parts] of others) {
    for (const cut of cutsElsewhere({ ...situation, objective: parts })) {
      yield {
        kind: `${kind}, ${cut.kind}`,
        says: `${says}; and ${cut.says}`,
        coefficients: cut.coefficients,
      };
    }
  }
}

/** One step's weights, left out or counted twice. */
function* steps({ objective, cuts, window }: Situation): Generator<Hypothesis> {
  const right = coefficientsOf(objective);
  const newFrom = window * cuts.k1;
  const s = Math.min(...objective.map(({ start }) => start));
  for (let step = 1; step <= cuts.steps; step++) {
    const change =
      (factor: number): Coefficients =>
      (tau, t) =>
        tau === step ? factor * right(tau, t) : right(tau, t);
    if (step > s) {
      yield {
        kind: `step ${step - newFrom} missing`,
        says: `the contribution of step ${step} is missing: its weights are not those that the gradient is of`,
        coefficients: change(0),
      };
      yield {
        kind: `step ${step - newFrom} twice`,
        says: `the contribution of step ${step} is counted twice`,
        coefficients: change(2),
      };
      continue;
    }
    const w = objective[0]!.weights;
    yield {
      kind: `step ${step - newFrom} of before`,
      says: `the contribution of step ${step}, which lies before the cut at ${s}, is in the gradient`,
      coefficients: (tau, t) => right(tau, t) + (tau === step ? w[t]! : 0),
    };
  }
}

/** Losses that reach back by a number of steps of their own, instead of to the window's cut. */
function* lags({ objective, setting, cuts }: Situation): Generator<Hypothesis> {
  const right = coefficientsOf(objective);
  for (let lag = 1; lag < cuts.steps; lag++) {
    yield {
      kind: `lag ${lag}`,
      says:
        lag === 1
          ? "nothing flows back from step to step: the state is held constant at every step"
          : `every loss reaches back ${list(1, lag).replace("steps 1 to ", "")} steps at most: the state is cut between steps of the window too`,
      coefficients: (tau, t) => (t - tau < lag ? right(tau, t) : 0),
    };
    if (setting.stale === "defer") continue;
    const w = objective[0]!.weights;
    yield {
      kind: `lag ${lag} of every loss`,
      says: `every loss reaches back ${lag} steps of its own, wherever the window begins`,
      coefficients: (tau, t) => (t - tau < lag ? w[t]! : 0),
    };
  }
}

/** Losses that are left out, counted twice, or taken from another window. */
function* losses({ objective, setting, cuts, window }: Situation): Generator<Hypothesis> {
  const right = coefficientsOf(objective);
  const newFrom = window * cuts.k1;
  const { start: s, end, weights } = objective[0]!;
  for (let step = 1; step <= cuts.steps; step++) {
    if (objective.every((part) => part.weights[step] === 0)) continue;
    for (const [factor, what] of [
      [0, "is missing"],
      [2, "is counted twice"],
    ] as const) {
      yield {
        kind: `loss ${step - newFrom} ${what}`,
        says: `the loss of step ${step} ${what}`,
        coefficients: (tau, t) => (t === step ? factor : 1) * right(tau, t),
      };
    }
  }
  if (setting.stale === "defer") {
    for (const [i] of objective.entries()) {
      const coefficients = coefficientsOf(objective.toSpliced(i, 1));
      yield {
        kind: `window ${i} missing`,
        says: `the gradient of window ${i} is missing`,
        coefficients,
      };
    }
    const last = coefficientsOf(objective.slice(-1));
    yield {
      kind: "last window",
      says: "it is the gradient of the last window alone",
      coefficients: last,
    };
    return;
  }
  for (let first = s + 1; first <= end; first++) {
    for (let last = first; last <= end; last++) {
      if (weights.subarray(first, last + 1).some((w) => w !== 0)) continue;
      yield {
        kind: `losses ${first - newFrom} to ${last - newFrom}`,
        says: `the ${first === last ? "loss" : "losses"} of ${list(first, last)}, which ${first === last ? "was" : "were"} in an earlier window, ${first === last ? "is" : "are"} in this one too: a cotangent of an earlier sweep is still there`,
        coefficients: (tau, t) => right(tau, t) + (tau > s && t >= first && t <= last ? 1 : 0),
      };
    }
  }
}

/** Two steps, or a stretch of steps, left out. */
function* several({ objective }: Situation): Generator<Hypothesis> {
  const right = coefficientsOf(objective);
  const s = Math.min(...objective.map(({ start }) => start));
  const { end } = objective.at(-1)!;
  for (let a = s + 1; a <= end; a++) {
    for (let b = a + 1; b <= end; b++) {
      yield {
        kind: "stretch",
        says: `${contribution(a, b)} are missing`,
        coefficients: (tau, t) => (tau >= a && tau <= b ? 0 : right(tau, t)),
      };
      if (b === a + 1) continue;
      yield {
        kind: "two steps",
        says: `the contributions of steps ${a} and ${b} are missing`,
        coefficients: (tau, t) => (tau === a || tau === b ? 0 : right(tau, t)),
      };
    }
  }
}
