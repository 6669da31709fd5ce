import { Tensor, tensor } from "@chronograd/autodiff";
import { textOf } from "../../checkDefinition.ts";
import { batchOf } from "../../checkRows.ts";
import { checkMark } from "../../sequences/marks.ts";
import type { TimeStep } from "../../truncated/step.ts";
import type { Sequence, StepSource } from "../../truncated/stream.ts";
import { inFloat64 } from "../draw.ts";

/** The first steps of a stream, in float64. */
export function readSteps(
  where: string,
  source: StepSource<unknown, unknown>,
  limit: number,
): TimeStep<unknown, unknown>[] {
  if (typeof source !== "object" || source === null) {
    throw new TypeError(
      `${where}: the stream must be an iterable of { input, target }, or { inputs, targets }, got ${textOf(source)}`,
    );
  }
  const found: TimeStep<unknown, unknown>[] = [];
  for (const { input, target, ...marks } of Symbol.iterator in source ? source : slices(source)) {
    const batch = batchOf(input, where);
    for (const name of ["reset", "mask"] as const) {
      const mark = marks[name];
      const what = `${where}: the ${name} of step ${found.length + 1}`;
      if (mark !== undefined) checkMark(what, mark, [batch]);
    }
    const { reset, mask } = marks;
    found.push({
      input: inFloat64(input),
      target: inFloat64(target),
      ...(reset && { reset }),
      ...(mask && { mask }),
    });
    if (found.length >= limit) break;
  }
  if (found.length === 0) throw new RangeError(`${where}: the stream has no steps`);
  return found;
}

/** Behind the end of a row nothing is read, no reset either. */
function resetAt(resets: Tensor, t: number, ends: readonly number[] | undefined): Tensor {
  const values = [...resets.slice([t]).toTypedArray()];
  const own =
    ends === undefined ? values : values.map((value, row) => (t < ends[row]! ? value : 0));
  return tensor(Int32Array.from(own));
}

/** The steps of a whole sequence; whether a row is in a step is read number by number. */
function* slices(sequence: Sequence): Generator<TimeStep<unknown, unknown>> {
  const { inputs, targets, context, lengths, mask, resets } = sequence;
  const given = lengths instanceof Tensor ? lengths.toTypedArray() : lengths;
  const ends = given && Array.from(given);
  for (let t = 0; t < Math.min(inputs.shape[0]!, targets.shape[0]!); t++) {
    const x = inputs.slice([t]);
    const isIn = mask === undefined ? undefined : [...mask.slice([t]).toTypedArray()];
    const present = ends?.map((end, row) => Number(t < end && isIn?.[row] !== 0)) ?? isIn;
    yield {
      input: context === undefined ? x : { x, context },
      target: targets.slice([t]),
      ...(present && { mask: tensor(Int32Array.from(present)) }),
      ...(resets && { reset: resetAt(resets, t, ends) }),
    };
  }
}
