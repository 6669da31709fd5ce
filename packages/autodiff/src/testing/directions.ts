import { type Differences, differences, safety } from "./differences.ts";
import { type Flattened, randomVector } from "./function.ts";
import { adapted, directionSteps } from "./steps.ts";
import { outputAt, type Tally } from "./tally.ts";
import { numericAt, scaleOf, standingOf } from "./verdict.ts";

/** What was found along one direction. */
interface Sample {
  readonly v: Float64Array;
  readonly tangents: Float64Array | undefined;
  readonly numeric: Differences;
  readonly isSettled: boolean;
}

/**
 * Compares derivatives along random directions, each element moved in proportion to its size: every
 * output in forward mode, a random sum of all outputs in reverse mode.
 */
export function compareDirections<T>(
  flat: Flattened<T>,
  step: number,
  seed: number,
  directions: number,
  tally: Tally,
): void {
  const { x, outputs, lengths } = flat;
  for (let k = 0; k < directions; k++) {
    const random = randomVector(x.length, seed + 2 * k);
    let sample = sampleAlong(
      flat,
      random.map((value, i) => value * lengths[i]!),
      step,
      tally.tolerance,
    );
    if (!sample.isSettled) {
      // Next to a pole each element must move less than its distance from it.
      const other = sampleAlong(
        flat,
        random.map((value, i) => value * Math.abs(x[i]!)),
        step,
        tally.tolerance,
      );
      if (other.isSettled) sample = other;
    }
    const { v, tangents, numeric } = sample;
    const scale = scaleOf(numeric);
    const at = { path: `(direction ${k + 1})`, index: -1 };
    for (let row = 0; row < outputs; row++) {
      if (tangents === undefined) break;
      tally.add({ forward: tangents[row]! }, numericAt(numeric, row, 1), scale, () => {
        const { words, ...output } = outputAt(flat, row);
        return {
          ...at,
          ...output,
          words: `${words} along random direction ${k + 1}, forward mode`,
        };
      });
    }
    tally.isForward &&= tangents !== undefined;
    // Outputs have equal weight, whatever their scale.
    const u = randomVector(outputs, seed + 2 * k + 1).map((value, row) => {
      const size = Math.max(Math.abs(numeric.values[row]!), 2 ** 33 * numeric.uncertainties[row]!);
      const weight = scale / size;
      return value * (weight > 0 && weight < 1e60 ? weight : 1);
    });
    const g = flat.pulled((pullback) => pullback(u));
    const sum = (list: Float64Array, weights: Float64Array) =>
      list.reduce((total, value, i) => total + value * weights[i]!, 0);
    const sizes = (list: Float64Array, weights: Float64Array) =>
      list.reduce((total, value, i) => total + Math.abs(value * weights[i]!), 0);
    const weighted = {
      value: sum(numeric.values, u),
      uncertainty: sizes(numeric.uncertainties, u),
      steepest: sizes(numeric.steepest, u),
      natural: sizes(numeric.sizes, u),
    };
    const rounding = 64 * Number.EPSILON * sizes(g, v);
    tally.add(
      { backward: sum(g, v) },
      weighted,
      0,
      () => {
        const words = `a random cotangent along random direction ${k + 1}, reverse mode`;
        return { ...at, output: "(cotangent)", outputIndex: -1, words };
      },
      rounding,
    );
  }
}

function sampleAlong<T>(
  flat: Flattened<T>,
  v: Float64Array,
  step: number,
  tolerance: number,
): Sample {
  const tangents = flat.pushed(v);
  const f = flat.along((i) => v[i]!);
  const steps = [step, ...directionSteps.slice(1)];
  const first = differences(f, step);
  const standing = (scale: number) => (row: number, best: Differences) => {
    const found = numericAt(best, row, 1);
    return standingOf(
      [tangents === undefined ? found.value : tangents[row]],
      found,
      scale,
      tolerance,
    );
  };
  const numeric = adapted(f, steps, standing(scaleOf(first)), first);
  const last = standing(scaleOf(numeric));
  const isSettled = numeric.values.every((_, row) => last(row, numeric) !== "open");
  // What forward mode and differences differ by where they agree is the noise of one of them.
  for (const [row, tangent] of tangents?.entries() ?? []) {
    if (last(row, numeric) !== "settled") continue;
    const noise = Math.abs(tangent - numeric.values[row]!) / safety;
    numeric.uncertainties[row] = Math.max(numeric.uncertainties[row]!, noise);
  }
  return { v, tangents, numeric, isSettled };
}
