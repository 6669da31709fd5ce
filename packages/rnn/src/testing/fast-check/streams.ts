import { type Tensor, tensor } from "@chronograd/autodiff";
import fc, { type Arbitrary } from "fast-check";
import type { TimeStep } from "../../truncated/step.ts";

/** A random sequence, float64. */
export interface RandomStream {
  /** Time steps, T. */
  readonly length: number;
  /** Rows, B. */
  readonly batch: number;
  /** `[T, B, input]` */
  readonly inputs: Tensor;
  /** `[T, B, target]` */
  readonly targets: Tensor;
  /** The same, step by step: what `truncated` and `checkTruncated` take. */
  readonly steps: readonly TimeStep[];
}

/** Sizes of a random sequence. */
export interface StreamsOptions {
  /** Columns of an input; 1 unless given. */
  readonly input?: number;
  /** Columns of a target; 1 unless given. */
  readonly target?: number;
  /** Most time steps; 8 unless given. */
  readonly maxLength?: number;
  /** Most rows; 3 unless given. */
  readonly maxBatch?: number;
}

/**
 * Random sequences of inputs and targets, shrinking towards one step, one row and zeros. Values are
 * multiples of 1/64 between -2 and 2.
 *
 * @example
 * ```ts
 * import type { Tensor } from "@chronograd/autodiff";
 * import fc from "fast-check";
 * import { elman } from "@chronograd/rnn";
 * import { checkTruncated } from "@chronograd/rnn/testing";
 * import { cuts, streams } from "@chronograd/rnn/testing/fast-check";
 *
 * const cell = elman({ input: 2, hidden: 1 });
 * fc.assert(
 *   fc.property(streams({ input: 2 }), cuts(), ({ steps }, { k1, k2 }) => {
 *     const loss = (y: Tensor, target: Tensor) => y.sub(target).square();
 *     checkTruncated(cell, steps, { k1, k2, loss, stale: "carry", throws: true });
 *   }),
 *   { numRuns: 5 },
 * );
 * ```
 */
export function streams({
  input = 1,
  target = 1,
  maxLength = 8,
  maxBatch = 3,
}: StreamsOptions = {}): Arbitrary<RandomStream> {
  const size = maxBatch * (input + target);
  const value = fc.integer({ min: -128, max: 128 }).map((n) => n / 64);
  const step = fc.array(value, { minLength: size, maxLength: size });
  // Every step has the most rows and loses some: so the number of rows shrinks without drawing
  // values anew.
  return fc
    .tuple(fc.integer({ min: 1, max: maxBatch }), fc.array(step, { minLength: 1, maxLength }))
    .map(([batch, drawn]) => {
      const inputs = drawn.flatMap((row) => row.slice(0, batch * input));
      const targets = drawn.flatMap((row) =>
        row.slice(maxBatch * input, maxBatch * input + batch * target),
      );
      return streamOf(drawn.length, batch, [inputs, input], [targets, target]);
    });
}

type Columns = readonly [values: readonly number[], columns: number];

function streamOf(
  length: number,
  batch: number,
  ...[x, y]: readonly [inputs: Columns, targets: Columns]
): RandomStream {
  const [inputs, targets] = [x, y].map(([values, columns]) =>
    tensor(Float64Array.from(values), { shape: [length, batch, columns] }),
  ) as [Tensor, Tensor];
  const steps = Array.from({ length }, (_, t) => {
    return { input: inputs.slice([t]), target: targets.slice([t]) };
  });
  const print = (): string =>
    `{ inputs: ${JSON.stringify(inputs.toArray())}, targets: ${JSON.stringify(targets.toArray())} }`;
  const found = { length, batch, inputs, targets, steps };
  return Object.defineProperty(found, fc.toStringMethod, { value: print });
}
