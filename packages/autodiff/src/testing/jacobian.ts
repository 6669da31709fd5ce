import { type Differences, differences } from "./differences.ts";
import { type Flattened, randomVector } from "./function.ts";
import { adapted, stepsFor } from "./steps.ts";
import { elementAt, outputAt, type Tally } from "./tally.ts";
import { numericAt, scaleOf, standingOf } from "./verdict.ts";

/**
 * Compares every element of the Jacobian, in reverse mode by rows and in forward mode by columns.
 */
export function compareJacobian<T>(
  flat: Flattened<T>,
  step: number,
  seed: number,
  tally: Tally,
): void {
  const { x, inputParts, outputs, lengths } = flat;
  // Unit vectors of random lengths, so that a rule which forgets its cotangent or tangent shows.
  const [u, v] = [outputs, x.length].map((n, i) =>
    randomVector(n, seed + i).map((value) => value + Math.sign(value)),
  ) as [Float64Array, Float64Array];
  const [rows, columns] = flat.pulled((pullback, run) => {
    const push = flat.pushforward(run);
    return [units(u, pullback), push && units(v, push)] as const;
  });
  tally.isForward &&= columns !== undefined;
  const analytic = (row: number, column: number) => ({
    backward: rows[row]![column]!,
    ...(columns && { forward: columns[column]![row]! }),
  });
  const move = (column: number) => flat.along((i) => (i === column ? 1 : 0));
  const steps = Array.from(x, (value, i) => stepsFor(value, lengths[i]!, step));
  const functions = Array.from(x, (_, column) => move(column));
  const found = functions.map((f, column) => differences(f, steps[column]![0]!));
  const scales = () => scalesOf(flat, found);
  const first = scales();
  for (const [column, f] of functions.entries()) {
    const standing = (row: number, best: Differences) => {
      const { backward, forward } = analytic(row, column) as { backward: number; forward?: number };
      const numeric = numericAt(best, row, lengths[column]!);
      return standingOf([backward, forward], numeric, first[row]!, tally.tolerance);
    };
    found[column] = adapted(f, steps[column]!, standing, found[column]);
  }
  const last = scales();
  for (const [column, numeric] of found.entries()) {
    for (let row = 0; row < outputs; row++) {
      const both = analytic(row, column);
      tally.add(both, numericAt(numeric, row, lengths[column]!), last[row]!, () => {
        const { words, ...output } = outputAt(flat, row);
        const input = elementAt(inputParts, column, "input");
        return { ...input, ...output, words: `${words} by ${input.words}` };
      });
    }
  }
}

/** The images of all unit vectors, each taken at its own length. */
function units(
  lengths: Float64Array,
  image: (unit: Float64Array) => Float64Array,
): readonly Float64Array[] {
  return Array.from(lengths, (length, i) => {
    const unit = new Float64Array(lengths.length);
    unit[i] = length;
    return image(unit).map((value) => value / length);
  });
}

/**
 * By output element: its largest derivative, or a thousandth of the largest of its tensor, whose
 * rounding it may share.
 */
function scalesOf<T>(
  { outputParts, outputs }: Flattened<T>,
  found: readonly Differences[],
): Float64Array {
  const scales = new Float64Array(outputs);
  for (let row = 0; row < outputs; row++) {
    const values = Float64Array.from(found, (each) => each.values[row]!);
    scales[row] = scaleOf({
      values,
      uncertainties: Float64Array.from(found, (each) => each.uncertainties[row]!),
    });
  }
  for (const { start, size } of outputParts) {
    const part = scales.subarray(start, start + size);
    const most = 1e-3 * part.reduce((a, b) => Math.max(a, b), 0);
    for (const [row, scale] of part.entries()) part[row] = Math.max(scale, most);
  }
  return scales;
}
