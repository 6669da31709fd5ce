import { isTensor, scope, type Tensor, tensor } from "@chronograd/autodiff";
import { checkOptions, describeTensor } from "@chronograd/autodiff/internal";
import { Rng } from "@chronograd/nn";
import { textOf } from "../checkDefinition.ts";

/** Options of `scheduledSampling`. */
export interface ScheduledSamplingOptions {
  /** The true inputs of a decoder, int32 `[T, B]`; those of the first step are always kept. */
  readonly inputs: Tensor;
  /**
   * What the model gives for inputs `[T, B]`: scores `[T, B, V]` of the symbol after each, where
   * those of a step depend on the inputs up to this step alone.
   */
  readonly logits: (inputs: Tensor) => Tensor;
  /** The probability that a true input is kept, from 0 to 1. */
  readonly truth: number;
  /** Draws which inputs are kept, and the symbols in place of the others. */
  readonly rng: Rng;
  /**
   * `"sample"` (the default) draws a symbol by its probability, `"greedy"` takes the most probable.
   */
  readonly draw?: "sample" | "greedy";
  /** How often the model runs; 1 unless given. */
  readonly passes?: number;
}

const known = ["inputs", "logits", "truth", "rng", "draw", "passes"];

/**
 * Inputs for training a decoder in which some of the true symbols are replaced by those that the
 * model itself would have given, so that it learns to go on from its own errors (Bengio et al.
 * 2015, Scheduled sampling for sequence prediction with recurrent neural networks).
 *
 * All steps are replaced at once: a pass runs the model over all inputs and puts its symbol for
 * step t + 1 in the place of the input of step t + 1 where that is not kept (Mihaylova & Martins
 * 2019, Scheduled sampling for transformers; Duckworth et al. 2019, Parallel scheduled sampling).
 * So a pass costs one forward run, compiled or not, and no loop over steps in JavaScript. In the
 * first pass the model sees true inputs only. After n passes the inputs of the first n + 1 steps
 * are exactly those of sampling step by step, so T - 1 passes are enough for all.
 *
 * What is kept and each draw are decided ahead, with two draws of `rng` for each input. The result
 * is a tensor of whole numbers: no gradient goes through it. Call it with parameters that no tape
 * watches.
 *
 * @returns int32 `[T, B]`; `inputs` itself where `truth` is 1
 * @throws when `inputs` is not int32 `[T, B]`, the scores are not `[T, B, V]`, or an option is out
 *   of range
 *
 * @example
 * ```ts
 * import { tensor } from "@chronograd/autodiff";
 * import { rng } from "@chronograd/nn";
 * import { scheduledSampling } from "@chronograd/rnn/decode";
 *
 * const inputs = tensor([[0], [1], [2], [3]], { dtype: "int32" });
 * // A model that is sure: after each symbol the same comes again.
 * const logits = (x: typeof inputs) => x.oneHot(4).mul(100);
 * const own = { inputs, logits, rng: rng(1, "own"), draw: "greedy" } as const;
 * scheduledSampling({ ...own, truth: 0 }).reshape([4]).toArray(); // => [0, 0, 1, 2]
 * scheduledSampling({ ...own, truth: 0, passes: 3 }).reshape([4]).toArray(); // => [0, 0, 0, 0]
 * ```
 */
export function scheduledSampling(options: ScheduledSamplingOptions): Tensor {
  checkOptions("scheduledSampling", options, known);
  const { inputs, logits, truth, rng, draw = "sample", passes = 1 } = options;
  check(options);
  if (truth === 1) return inputs;
  const [T, B] = inputs.shape as [number, number];
  const given = inputs.toTypedArray();
  // A row of draws for each place: whether it is kept, and where in the distribution it falls.
  const draws = Float64Array.from({ length: 2 * T * B }, () => rng.uniform());
  let mixed = Int32Array.from(given);
  for (let pass = 0; pass < passes; pass++) {
    const scores = scope(() => {
      const like = { shape: [T, B], dtype: "int32", backend: inputs.backend } as const;
      const all = logits(tensor(mixed, like));
      checkScores(all, T, B);
      return draw === "greedy" ? all : all.softmax();
    });
    const V = scores.shape[2]!;
    const flat = scores.toTypedArray();
    const next = Int32Array.from(given);
    for (let i = B; i < T * B; i++) {
      if (draws[2 * i]! < truth) continue;
      const row = flat.subarray((i - B) * V, (i - B + 1) * V);
      next[i] = draw === "greedy" ? largest(row) : place(row, draws[2 * i + 1]!);
    }
    mixed = next;
  }
  return tensor(mixed, { shape: [T, B], dtype: "int32", backend: inputs.backend });
}

/** The first place of the largest score. */
function largest(scores: ArrayLike<number>): number {
  let best = 0;
  for (let v = 1; v < scores.length; v++) if (scores[v]! > scores[best]!) best = v;
  return best;
}

/** The first place at which the running sum of probabilities passes `u`. */
function place(probabilities: ArrayLike<number>, u: number): number {
  let sum = 0;
  for (let v = 0; v < probabilities.length; v++) {
    sum += probabilities[v]!;
    if (u < sum) return v;
  }
  return largest(probabilities);
}

function check({
  inputs,
  logits,
  truth,
  rng,
  draw = "sample",
  passes = 1,
}: ScheduledSamplingOptions) {
  const refuse = (what: string, got: unknown, Kind: ErrorConstructor = TypeError): never => {
    throw new Kind(`scheduledSampling: ${what}, got ${textOf(got)}`);
  };
  if (!isTensor(inputs) || inputs.dtype !== "int32" || inputs.rank !== 2) {
    const got = isTensor(inputs) ? describeTensor(inputs) : textOf(inputs);
    throw new TypeError(
      `scheduledSampling: inputs must be int32 [T, B], the true symbols of T steps, got ${got}`,
    );
  }
  if (typeof logits !== "function") {
    refuse("logits must be a function of inputs [T, B] that gives scores [T, B, V]", logits);
  }
  if (!(truth >= 0 && truth <= 1)) {
    refuse(
      "truth must be a probability from 0 to 1, that of keeping a true input",
      truth,
      RangeError,
    );
  }
  if (!(rng instanceof Rng)) refuse('rng must be a generator, such as rng(1, "sampling")', rng);
  if (draw !== "sample" && draw !== "greedy") refuse('draw must be "sample" or "greedy"', draw);
  if (!Number.isInteger(passes) || passes < 1) {
    refuse("passes must be a whole number of at least 1", passes, RangeError);
  }
}

function checkScores(scores: unknown, T: number, B: number): void {
  if (isTensor(scores) && scores.rank === 3 && scores.shape[2]! > 0) {
    if (scores.shape[0] === T && scores.shape[1] === B && scores.dtype !== "int32") return;
  }
  throw new RangeError(
    `scheduledSampling: logits must give float scores [${T}, ${B}, V] for inputs [${T}, ${B}], got ${isTensor(scores) ? describeTensor(scores) : textOf(scores)}`,
  );
}
