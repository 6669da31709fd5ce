import { derivativeError, type Numeric } from "@chronograd/autodiff/testing";
import { largest, nameOf } from "../tally.ts";
import type { FoundWindow, FoundWindows } from "./collect.ts";
import {
  agesOf,
  type Cuts,
  objectivesOf,
  type Part,
  type Setting,
  type Span,
  spansOf,
} from "./definition.ts";
import { along, type Derivative } from "./directions.ts";
import type { Experiment } from "./experiment.ts";
import type { WindowFailure } from "./report.ts";

/** A window whose gradient is wrong, and what is needed to say why. */
export interface Suspect {
  readonly window: number;
  readonly given: FoundWindow;
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

/** Holds what was collected in one mode to the definition. */
export function compare(
  experiment: Experiment,
  cuts: Cuts,
  derivatives: readonly Derivative[],
  setting: Setting,
  collected: FoundWindows,
  tolerance: number,
): Comparison {
  const spans = spansOf(cuts);
  const objectives = objectivesOf(setting, cuts, experiment.counts);
  const failures: WindowFailure[] = [];
  const suspects: Suspect[] = [];
  let [cases, worst, undecided] = [0, 0, 0];
  const fail = (place: Omit<Span, "index">, index: number, message: string): number =>
    failures.push({ ...place, index, message, kind: "", diagnosis: "" });
  for (const [window, objective] of objectives.entries()) {
    const given = collected.windows[window];
    const { start, end } = { start: objective[0]!.start, end: objective.at(-1)!.end };
    const newFrom = setting.stale === "defer" ? cuts.burnIn : spans[window]!.newFrom;
    const place = { start, newFrom, end };
    const name = `window ${window}, steps (${start}, ${end}], new after ${newFrom}`;
    if (given === undefined) {
      const { threw } = collected;
      const what = threw === undefined ? "there is no such window" : `threw: ${threw}`;
      fail(place, window, `${name}: ${what}`);
      break;
    }
    for (const said of spanAndLosses(experiment, setting, cuts, window, place, given)) {
      fail(place, window, `${name}: ${said}`);
    }
    const ages = agesOf(setting, cuts, window);
    const numeric = derivatives.map((each) => experiment.derivative(ages, objective, each));
    const found = gradientsOf(derivatives, numeric, given, tolerance);
    cases += numeric.length;
    worst = Math.max(worst, found.worst);
    undecided += found.undecided;
    if (found.wrong === undefined) continue;
    const { message, paths, ...numbers } = found.wrong;
    const failure = { ...place, index: window, ...numbers, message: `${name}: ${message}` };
    suspects.push({ window, given, objective, failure, ...(paths && { paths }) });
  }
  if (collected.windows.length > objectives.length) {
    const { start, newFrom, end } = spans.at(-1)!;
    const message = `there are more than ${objectives.length} windows`;
    fail({ start, newFrom, end }, objectives.length, message);
  }
  return { windows: objectives.length, cases, worst, undecided, failures, suspects };
}

/**
 * Sentences for a span or losses that are not those of the definition, where a window tells them.
 */
function spanAndLosses(
  experiment: Experiment,
  setting: Setting,
  cuts: Cuts,
  window: number,
  place: Omit<Span, "index">,
  { span, losses }: FoundWindow,
): string[] {
  const said: string[] = [];
  for (const name of ["start", "newFrom", "end"] as const) {
    // A deferred window covers the whole stream, and has no cut.
    if (span[name] === undefined || (setting.stale === "defer" && name === "start")) continue;
    if (span[name] !== place[name]) {
      said.push(`${name} is ${span[name]}, by definition ${place[name]}`);
    }
  }
  if (losses === undefined) return said;
  const { newFrom, end } = place;
  if (losses.length !== end - newFrom) {
    return [...said, `there are losses of ${losses.length} steps, expected ${end - newFrom}`];
  }
  const expected = experiment.losses(newFrom + 1, end, agesOf(setting, cuts, window));
  const bound = 1e-10 * largest(expected);
  const t = losses.findIndex((loss, i) => !(Math.abs(loss - expected[newFrom + 1 + i]!) <= bound));
  if (t < 0) return said;
  const step = newFrom + 1 + t;
  const instead = `the loss of step ${step} is ${losses[t]}, step by step it is ${expected[step]}`;
  return [...said, instead];
}

/** A gradient beside differences: where it is furthest off, in words, unless all of it is right. */
function gradientsOf(
  derivatives: readonly Derivative[],
  numeric: readonly Numeric[],
  { gradients }: FoundWindow,
  tolerance: number,
): {
  worst: number;
  undecided: number;
  wrong?: Required<Pick<WindowFailure, "path" | "element" | "analytic" | "numeric">> & {
    message: string;
    paths?: string[];
  };
} {
  const most = largest(numeric.map(({ value }) => value));
  let [worst, furthest, undecided, differing, at] = [0, 0, 0, 0, -1];
  const wrong = new Set<string>();
  for (const [k, each] of derivatives.entries()) {
    const analytic = along(gradients, each);
    const by = numeric[k]!;
    const error = derivativeError(analytic, by, most, tolerance, 64 * Number.EPSILON * most);
    if (error === undefined) {
      undecided++;
      continue;
    }
    if (!(error <= tolerance)) {
      differing++;
      wrong.add(each.path);
    }
    worst = Math.max(worst, error);
    const scale = Math.max(most, Math.abs(analytic), Math.abs(by.value));
    const off = Math.abs(analytic - by.value) / scale;
    if (off <= furthest) continue;
    furthest = Number.isNaN(off) ? Infinity : off;
    at = k;
  }
  if (differing === 0) return { worst, undecided };
  const { path, element, words } = derivatives[at]!;
  const analytic = along(gradients, derivatives[at]!);
  const place = { path, element, analytic, numeric: numeric[at]!.value };
  const message = `${words} is ${short(place.analytic)}, by differences ${short(place.numeric)}; ${differing} of ${derivatives.length} derivatives differ`;
  const paths = [...wrong];
  if (derivatives.every((each) => wrong.has(each.path))) {
    return { worst, undecided, wrong: { ...place, message } };
  }
  const names = paths.map((each) => nameOf("params", each)).join(", ");
  const all = { ...place, message: `${message}, all by ${names}`, paths };
  return { worst, undecided, wrong: all };
}

function short(x: number): string {
  return String(Number(x.toPrecision(10)));
}
