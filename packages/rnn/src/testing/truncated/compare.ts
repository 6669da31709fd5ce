import { type Differences, derivativeError } from "@chronograd/autodiff/testing";
import { largest, nameOf } from "../tally.ts";
import { agesOf, type Cuts, objectivesOf, type Part, type Setting, spansOf } from "./definition.ts";
import { along, type Experiment } from "./experiment.ts";
import type { Observation, Observed } from "./observe.ts";
import type { Probe } from "./probes.ts";
import type { WindowFailure } from "./report.ts";

/** A window whose gradient is wrong, and what is needed to say why. */
export interface Suspect {
  readonly window: number;
  readonly observed: Observed;
  readonly objective: readonly Part[];
  /** The parameters by which the gradient is wrong, unless that is all of them. */
  readonly paths?: readonly string[];
  readonly failure: Omit<WindowFailure, "kind" | "diagnosis">;
}

/** One mode, compared with the definition. */
export interface Comparison {
  readonly windows: number;
  readonly cases: number;
  readonly worst: number;
  readonly undecided: number;
  /** Wrong in another way than by the gradient. */
  readonly failures: readonly WindowFailure[];
  readonly suspects: readonly Suspect[];
}

/** Derivatives of each step's loss in each window, along each probe: kept, since settings share them. */
export class Slopes {
  readonly experiment: Experiment;
  readonly cuts: Cuts;
  readonly probes: readonly Probe[];
  readonly #known = new Map<string, readonly Differences[]>();

  constructor(experiment: Experiment, cuts: Cuts, probes: readonly Probe[]) {
    this.experiment = experiment;
    this.cuts = cuts;
    this.probes = probes;
  }

  of(setting: Setting, window: number, { start, end }: Part): readonly Differences[] {
    const key = `${setting.stale} ${window} ${end}`;
    let found = this.#known.get(key);
    if (found === undefined) {
      const ages = agesOf(setting, this.cuts, window);
      const span = { first: start + 1, last: end, end };
      found = this.probes.map(({ v, h }) => this.experiment.slopes(ages, span, v, h));
      this.#known.set(key, found);
    }
    return found;
  }
}

/** Holds what was observed in one mode to the definition. */
export function compare(
  slopes: Slopes,
  setting: Setting,
  observation: Observation,
  tolerance: number,
): Comparison {
  const { experiment, cuts } = slopes;
  const spans = spansOf(cuts);
  const objectives = objectivesOf(setting, cuts, experiment.counts);
  const failures: WindowFailure[] = [];
  const suspects: Suspect[] = [];
  let [cases, worst, undecided] = [0, 0, 0];
  for (const [window, objective] of objectives.entries()) {
    const observed = observation.windows[window];
    const { start, end } = { start: objective[0]!.start, end: objective.at(-1)!.end };
    const newFrom = setting.stale === "defer" ? 0 : spans[window]!.newFrom;
    const place = { index: window, start, newFrom, end };
    const name = `window ${window}, steps (${start}, ${end}], new after ${newFrom}`;
    const fail = (message: string): number =>
      failures.push({ ...place, message: `${name}: ${message}`, kind: "", diagnosis: "" });
    if (observed === undefined) {
      fail(
        observation.threw === undefined ? "there is no such window" : `threw: ${observation.threw}`,
      );
      break;
    }
    for (const message of spanAndLosses(experiment, setting, cuts, window, place, observed)) {
      fail(message);
    }
    const found = gradientsOf(slopes, setting, window, objective, observed, tolerance);
    cases += slopes.probes.length;
    worst = Math.max(worst, found.worst);
    undecided += found.undecided;
    if (found.message === undefined) continue;
    const { message, numbers, paths } = found;
    const failure = { ...place, ...numbers, message: `${name}: ${message}` };
    suspects.push({ window, observed, objective, failure, ...(paths && { paths }) });
  }
  if (observation.windows.length > objectives.length) {
    const { start, newFrom, end } = { ...spans.at(-1)! };
    const message = `there are more than ${objectives.length} windows`;
    failures.push({
      index: objectives.length,
      start,
      newFrom,
      end,
      message,
      kind: "",
      diagnosis: "",
    });
  }
  return { windows: objectives.length, cases, worst, undecided, failures, suspects };
}

/** Sentences for a span or losses that are not those of the definition, where a window tells them. */
function spanAndLosses(
  experiment: Experiment,
  setting: Setting,
  cuts: Cuts,
  window: number,
  place: { readonly start: number; readonly newFrom: number; readonly end: number },
  observed: Observed,
): string[] {
  const said: string[] = [];
  for (const name of ["start", "newFrom", "end"] as const) {
    const value = observed[name];
    // A deferred window covers the whole stream, and has no cut of its own.
    if (value === undefined || (setting.stale === "defer" && name === "start")) continue;
    if (value !== place[name]) said.push(`${name} is ${value}, by definition ${place[name]}`);
  }
  const { losses } = observed;
  if (losses === undefined) return said;
  const { newFrom, end } = place;
  const ages = agesOf(setting, cuts, window);
  const expected = experiment.losses(
    newFrom + 1,
    end,
    ages,
    (t) => experiment.generations[ages(t)],
  );
  if (losses.length !== end - newFrom) {
    return [...said, `there are losses of ${losses.length} steps, expected ${end - newFrom}`];
  }
  const most = largest(expected);
  for (const [i, loss] of losses.entries()) {
    const by = expected[newFrom + 1 + i]!;
    if (Math.abs(loss - by) <= 1e-10 * most) continue;
    said.push(`the loss of step ${newFrom + 1 + i} is ${loss}, step by step it is ${by}`);
    break;
  }
  return said;
}

function gradientsOf(
  slopes: Slopes,
  setting: Setting,
  window: number,
  objective: readonly Part[],
  observed: Observed,
  tolerance: number,
): {
  worst: number;
  undecided: number;
  message?: string;
  numbers?: { path: string; element: number; analytic: number; numeric: number };
  paths?: string[];
} {
  const { probes } = slopes;
  const numeric = new Float64Array(probes.length);
  const uncertain = new Float64Array(probes.length);
  const steepest = new Float64Array(probes.length);
  const sizes = new Float64Array(probes.length);
  for (const part of objective) {
    for (const [k, found] of slopes.of(setting, window, part).entries()) {
      for (const [t, weight] of part.weights.entries()) {
        if (weight === 0) continue;
        const size = Math.abs(weight);
        numeric[k]! += weight * found.values[t]!;
        uncertain[k]! += size * found.uncertainties[t]!;
        steepest[k]! += size * found.steepest[t]!;
        sizes[k]! += size * found.sizes[t]!;
      }
    }
  }
  const most = largest(numeric);
  let [worst, furthest, undecided, differing, at] = [0, 0, 0, 0, -1];
  const wrong = new Set<string>();
  for (const [k, { v }] of probes.entries()) {
    const analytic = along(observed.gradients, v);
    const by = {
      value: numeric[k]!,
      uncertainty: uncertain[k]!,
      steepest: steepest[k]!,
      natural: sizes[k]!,
    };
    const error = derivativeError(analytic, by, most, tolerance, 64 * Number.EPSILON * most);
    if (error === undefined) {
      undecided++;
      continue;
    }
    if (!(error <= tolerance)) {
      differing++;
      wrong.add(probes[k]!.path);
    }
    worst = Math.max(worst, error);
    const off =
      Math.abs(analytic - by.value) / Math.max(most, Math.abs(analytic), Math.abs(by.value));
    if (off <= furthest) continue;
    furthest = Number.isNaN(off) ? Infinity : off;
    at = k;
  }
  if (differing === 0) return { worst, undecided };
  const { path, element, words, v } = probes[at]!;
  const numbers = { path, element, analytic: along(observed.gradients, v), numeric: numeric[at]! };
  const message = `${words} is ${short(numbers.analytic)}, by differences ${short(numbers.numeric)}; ${differing} of ${probes.length} derivatives differ`;
  const paths = [...wrong];
  if (probes.every((probe) => wrong.has(probe.path))) return { worst, undecided, message, numbers };
  const by = paths.map((wrongPath) => nameOf("params", wrongPath)).join(", ");
  return { worst, undecided, message: `${message}, all by ${by}`, numbers, paths };
}

function short(x: number): string {
  return String(Number(x.toPrecision(10)));
}
