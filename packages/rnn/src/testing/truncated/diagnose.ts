import { nameOf } from "../tally.ts";
import type { Suspect } from "./compare.ts";
import { type Coefficients, coefficientsOf, contributions, type Numbers } from "./contributions.ts";
import {
  type Ages,
  agesOf,
  type Cuts,
  objectivesOf,
  type Part,
  type Setting,
  spansOf,
} from "./definition.ts";
import { along, type Direction, randomDirections } from "./directions.ts";
import type { Experiment } from "./experiment.ts";
import { marksOtherwise } from "./markMistakes.ts";
import { mistakes } from "./mistakes.ts";
import type { WindowFailure } from "./report.ts";

/** A mistake that explains a window. */
interface Explanation {
  readonly kind: string;
  readonly says: string;
}

/** A mistake, and the numbers that it gives. */
type Tried = readonly [kind: string, says: string, tried: Numbers];

/** So many directions at once: numbers that agree in all of them agree by chance in none. */
const directionCount = 5;
/** So many windows of a mode are explained; the others are counted. */
const explained = 4;

/** Finds out what is wrong with windows, by trying which mistake gives exactly their gradients. */
export class Diagnosis {
  readonly experiment: Experiment;
  readonly cuts: Cuts;
  readonly #directions: readonly Direction[];

  constructor(experiment: Experiment, cuts: Cuts, seed: number) {
    this.experiment = experiment;
    this.cuts = cuts;
    this.#directions = randomDirections(experiment.generations[0], directionCount, seed);
  }

  /** Every suspect as a failure: with the mistake that explains most of them, where one does. */
  explain(setting: Setting, suspects: readonly Suspect[]): WindowFailure[] {
    const found = suspects
      .slice(0, explained)
      .map((suspect) => this.#explanations(setting, suspect));
    const votes = new Map<string, number>();
    for (const explanations of found) {
      for (const kind of new Set(explanations.map((e) => e.kind))) {
        votes.set(kind, (votes.get(kind) ?? 0) + 1);
      }
    }
    return suspects.map(({ failure }, i) => {
      const explanations = found[i] ?? [];
      const most = Math.max(0, ...explanations.map(({ kind }) => votes.get(kind)!));
      const best = explanations.find(({ kind }) => votes.get(kind) === most);
      return { ...failure, kind: best?.kind ?? "", diagnosis: best?.says ?? "" };
    });
  }

  #explanations(setting: Setting, suspect: Suspect): Explanation[] {
    const all = this.#along(setting, suspect, this.#directions);
    const { paths } = suspect;
    if (paths === undefined || all.some(({ kind }) => kind !== "unknown")) return all;
    // Some parameters are right: perhaps a mistake explains the others.
    const directions = this.#directions.map(({ v, h }) => {
      return { v: new Map([...v].filter(([path]) => paths.includes(path))), h };
    });
    const names = paths.map((path) => nameOf("params", path)).join(", ");
    return this.#along(setting, suspect, directions).map(({ kind, says }) => ({
      kind: `${kind}, by ${names}`,
      says: `in the gradient by ${names} alone: ${says}`,
    }));
  }

  #along(
    setting: Setting,
    { window, given, objective }: Suspect,
    directions: readonly Direction[],
  ): Explanation[] {
    const { experiment, cuts } = this;
    const ages = agesOf(setting, cuts, window);
    const { end } = objective.at(-1)!;
    // Windows that carry their weights share the contributions of all steps.
    const reach = setting.stale === "recompute" ? end : cuts.steps;
    const all = contributions(experiment, ages, reach, directions);
    const sum = (coefficients: Coefficients): Numbers =>
      all((tau, t) => (t > end ? 0 : coefficients(tau, t)));
    const withAges = (other: Ages, parts: readonly Part[]): Numbers =>
      directions.map((each) => experiment.derivative(other, parts, each).value);
    const numbers = directions.map((each) => along(given.gradients, each));
    const expected = sum(coefficientsOf(objective));
    const residual = distance(numbers, expected);
    const noise = 1e-10 * Math.max(...[...numbers, ...expected].map(Math.abs));
    if (!Number.isFinite(residual)) return [notFinite(experiment)];
    if (residual < 100 * noise) return [];
    const fits = (tried: Numbers): boolean => distance(numbers, tried) <= 1e-6 * residual + noise;

    if (numbers.every((x) => Math.abs(x) <= noise)) return [{ kind: "zero", says: "it is zero" }];
    const own = experiment.gradient(ages, objective);
    if (fits(directions.map((each) => along(own, each)))) {
      const says =
        "the model's own gradient is wrong in the same way where nothing is truncated: testCell(model) says which op or step it is";
      return [{ kind: "model", says }];
    }
    const situation = { setting, cuts, counts: experiment.counts, window, objective };
    const explanations: Explanation[] = [];
    const consider = (kind: string, says: string, tried: Numbers): void => {
      if (fits(tried)) explanations.push({ kind, says });
    };
    for (const [kind, says, coefficients] of mistakes(situation)) {
      consider(kind, says, sum(coefficients));
    }
    for (const [kind, says, other] of otherAges(setting, cuts, window)) {
      consider(kind, says, withAges(other, objective));
    }
    for (const explanation of this.#earlier(setting, window, withAges, expected)) {
      consider(...explanation);
    }
    if (explanations.length === 0) {
      for (const explanation of this.#marks(setting, window, ages, objective, directions)) {
        consider(...explanation);
      }
    }
    consider(...multiple(numbers, expected, objective));
    if (explanations.length > 0) return explanations;
    return [{ kind: "unknown", says: profile(sum, objective, numbers, expected) }];
  }

  /** Masks and resets taken otherwise, and means over the rows that have no step. */
  *#marks(
    setting: Setting,
    window: number,
    ages: Ages,
    objective: readonly Part[],
    directions: readonly Direction[],
  ): Generator<Tried> {
    const { experiment, cuts } = this;
    const padded = objectivesOf(setting, cuts, experiment.paddedCounts)[window]!;
    const isPadded = padded.some(({ weights }, i) =>
      weights.some((w, t) => w !== objective[i]!.weights[t]),
    );
    const numbers = (other: Experiment, parts: readonly Part[]): Numbers => {
      const found = other.gradient(ages, parts);
      return directions.map((each) => along(found, each));
    };
    const mean = "the mean is over all rows of all steps, those without a step among them";
    if (isPadded) yield ["mean over padding", mean, numbers(experiment, padded)];
    for (const [kind, says, other] of marksOtherwise(experiment)) {
      yield [kind, says, numbers(other, objective)];
      if (isPadded) yield [`${kind}, padded`, `${says}; and ${mean}`, numbers(other, padded)];
    }
  }

  /** The gradients of earlier windows: in place of this one's, or added to it. */
  *#earlier(
    setting: Setting,
    window: number,
    withAges: (ages: Ages, parts: readonly Part[]) => Numbers,
    expected: Numbers,
  ): Generator<Tried> {
    const { experiment, cuts } = this;
    if (setting.stale === "defer" || window === 0) return;
    const objectives = objectivesOf(setting, cuts, experiment.counts);
    let all = expected;
    for (let i = window - 1; i >= 0; i--) {
      const other = withAges(agesOf(setting, cuts, i), objectives[i]!);
      const plus = (sum: Numbers): Numbers => sum.map((x, k) => x + other[k]!);
      all = plus(all);
      const kind = `window -${window - i}`;
      yield [kind, `it is the gradient of window ${i}: the sweep began at an earlier end`, other];
      if (i < window - 1 && i > 0) continue;
      const says = `the gradient of window ${i} is added to it: it was not cleared`;
      yield [`plus ${kind}`, says, plus(expected)];
    }
    const says = "the gradients of all earlier windows are added to it: they were not cleared";
    yield ["accumulated", says, all];
  }
}

function notFinite({ steps }: Experiment): Explanation {
  const kind = "not finite";
  if (!steps.some(({ mask }) => mask !== undefined)) {
    return { kind, says: "the gradient is not finite" };
  }
  const says =
    "the gradient is not finite, and that of the rows that have a step is: what stands in the padding reaches it; 0 times NaN is NaN, so select rows with where(mask, x, y) in place of multiplying by a mask, and before an op whose derivative is not finite there";
  return { kind, says };
}

/** Ages of weights that a window may have been swept with by mistake. */
function otherAges(setting: Setting, cuts: Cuts, window: number): [string, string, Ages][] {
  if (setting.stale === "defer" || window === 0) return [];
  const { start } = spansOf(cuts)[window]!;
  const carry = agesOf({ stale: "carry" }, cuts, window);
  const recompute = agesOf({ stale: "recompute" }, cuts, window);
  const own = setting.stale === "carry" ? carry : recompute;
  const overlap = "the overlap with the window before";
  const wrong = "weights of the wrong age:";
  const found: [string, string, Ages][] = [
    [
      "today's weights",
      `${wrong} it equals the gradient with today's weights in ${overlap}, run again from the state that was first recorded at the cut`,
      (t) => (t <= start ? carry(t) : window),
    ],
    [
      "recompute",
      `${wrong} ${overlap} was run again with today's weights, as stale "recompute" does`,
      recompute,
    ],
    [
      "carry",
      `${wrong} ${overlap} has the weights of when it was first run, as stale "carry" does`,
      carry,
    ],
    ["first weights", `${wrong} no update has reached the window`, () => 0],
    [
      "one update late",
      `${wrong} every step lacks the last update before it`,
      (t) => Math.max(0, own(t) - 1),
    ],
    [
      "last update missing",
      `${wrong} the window's steps lack the last update`,
      (t) => (t <= start ? own(t) : Math.min(own(t), window - 1)),
    ],
    [
      "oldest weights",
      `${wrong} all steps of the window have the weights of its first`,
      (t) => (t <= start ? own(t) : carry(start + 1)),
    ],
  ];
  return found.filter(([kind]) => kind !== setting.stale);
}

/** A gradient that is a multiple of the right one. */
function multiple(numbers: Numbers, expected: Numbers, objective: readonly Part[]): Tried {
  const squares = expected.reduce((sum, x) => sum + x * x, 0);
  const factor = expected.reduce((sum, x, k) => sum + x * numbers[k]!, 0) / squares;
  const tried = expected.map((x) => factor * x);
  const inverse = Math.round(1 / factor);
  const isShare = Math.abs(1 / factor - inverse) < 1e-6 && inverse > 1;
  const times = isShare ? `1/${inverse}` : `${Number(factor.toPrecision(7))}`;
  const losses = objective.reduce((n, { weights }) => n + weights.filter((w) => w !== 0).length, 0);
  const says = `it is ${times} times what it should be`;
  return isShare && inverse === losses
    ? ["mean over steps", `${says}: a mean over the ${losses} steps with a loss`, tried]
    : [`factor ${times}`, says, tried];
}

function distance(a: Numbers, b: Numbers): number {
  let worst = 0;
  for (const [i, x] of a.entries()) {
    const d = Math.abs(x - b[i]!);
    worst = Number.isNaN(d) ? Infinity : Math.max(worst, d);
  }
  return worst;
}

/** No single mistake: what each step contributes, beside what is over or missing. */
function profile(
  sum: (coefficients: Coefficients) => Numbers,
  objective: readonly Part[],
  numbers: Numbers,
  expected: Numbers,
): string {
  const right = coefficientsOf(objective);
  const { end } = objective.at(-1)!;
  const steps = Array.from({ length: end }, (_, i) => {
    const [value] = sum((tau, t) => (tau === i + 1 ? right(tau, t) : 0));
    return `${i + 1}: ${value!.toPrecision(4)}`;
  });
  const over = numbers[0]! - expected[0]!;
  return `no single mistake with cuts, losses, steps or ages of weights explains it; along a random direction it is off by ${over.toPrecision(4)}, where the steps contribute ${steps.slice(-12).join(", ")}`;
}
