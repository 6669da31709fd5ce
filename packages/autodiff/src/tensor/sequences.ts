import { optionsOfShaped, type TensorOptions, tensorOf } from "./create.ts";
import { checkOptions } from "./options.ts";
import { checkShape } from "./shape.ts";
import type { Tensor } from "./tensor.ts";

type Options = Omit<TensorOptions, "shape">;

/**
 * A vector of `start, start + step, ...` below `stop`. Throws for a step of 0.
 *
 * @example
 * ```ts
 * import { arange } from "@chronograd/autodiff";
 *
 * arange(0, 2, 0.5).toArray(); // => [0, 0.5, 1, 1.5]
 * ```
 */
export function arange(start: number, stop: number, step = 1, options: Options = {}): Tensor {
  checkOptions("arange", options, optionsOfShaped);
  if (step === 0 || !Number.isFinite((stop - start) / step)) {
    throw new RangeError(
      `arange: start, stop and a step other than 0 must be finite, got ${start}, ${stop}, ${step}`,
    );
  }
  const length = Math.max(0, Math.ceil((stop - start) / step));
  return tensorOf(
    "arange",
    Float64Array.from({ length }, (_, i) => start + i * step),
    { dtype: "float32", ...options },
  );
}

/**
 * A vector of `count` numbers, evenly spaced from `start` to `stop`, both included.
 *
 * @throws unless the ends are finite and `count` is a whole number of at least 0
 *
 * @example
 * ```ts
 * import { linspace } from "@chronograd/autodiff";
 *
 * linspace(0, 1, 5).toArray(); // => [0, 0.25, 0.5, 0.75, 1]
 * ```
 */
export function linspace(
  start: number,
  stop: number,
  count: number,
  options: Options = {},
): Tensor {
  checkOptions("linspace", options, optionsOfShaped);
  const isCount = Number.isInteger(count) && count >= 0;
  if (!Number.isFinite(start) || !Number.isFinite(stop) || !isCount) {
    throw new RangeError(
      `linspace: start and stop must be finite and count a whole number of at least 0, got ${start}, ${stop} and ${count}`,
    );
  }
  const last = count - 1;
  // The ends are exact, whatever is between.
  const at = (i: number) =>
    i === 0 ? start : i === last ? stop : start * (1 - i / last) + stop * (i / last);
  return tensorOf(
    "linspace",
    Float64Array.from({ length: count }, (_, i) => at(i)),
    {
      dtype: "float32",
      ...options,
    },
  );
}

/**
 * The matrix with ones on its diagonal, `[rows, columns]`; square unless `columns` is given.
 *
 * @throws unless both are whole numbers of at least 0
 *
 * @example
 * ```ts
 * import { eye } from "@chronograd/autodiff";
 *
 * eye(2).toArray(); // => [[1, 0], [0, 1]]
 * ```
 */
export function eye(rows: number, columns: number = rows, options: Options = {}): Tensor {
  checkOptions("eye", options, optionsOfShaped);
  checkShape([rows, columns], "eye");
  const data = new Float64Array(rows * columns);
  for (let i = 0; i < Math.min(rows, columns); i++) data[i * (columns + 1)] = 1;
  return tensorOf("eye", data, { dtype: "float32", ...options, shape: [rows, columns] });
}
