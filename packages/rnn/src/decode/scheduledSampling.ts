import { isTensor, scope, type Tensor, tensor } from "@chronograd/autodiff";
import { checkOptions, describeTensor } from "@chronograd/autodiff/internal";
import { Rng } from "@chronograd/nn";
import { textOf } from "../checkDefinition.ts";
import { drawn, likeliest } from "./draw.ts";

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
  /** What scores are divided by before a symbol is drawn; 0 takes the likeliest; 1 unless given. */
  readonly temperature?: number;
  /** How often the model runs; 1 unless given. */
  readonly passes?: number;
}

const where = "scheduledSampling";
const known = ["inputs", "logits", "truth", "rng", "temperature", "passes"];

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
 * const own = { inputs, logits, rng: rng(1, "own"), temperature: 0 };
 * scheduledSampling({ ...own, truth: 0 }).reshape([4]).toArray(); // => [0, 0, 1, 2]
 * scheduledSampling({ ...own, truth: 0, passes: 3 }).reshape([4]).toArray(); // => [0, 0, 0, 0]
 * ```
 */
export function scheduledSampling(options: ScheduledSamplingOptions): Tensor {
  checkOptions(where, options ?? null, known);
  const { inputs, logits, truth, rng, temperature = 1, passes = 1 } = options;
  check(options);
  if (truth === 1) return inputs;
  const [T, B] = inputs.shape as [number, number];
  const how = { temperature, topK: Infinity, nucleus: 1 };
  // Two draws for each place: whether it is kept, and where in the distribution it falls.
  const draws = Float64Array.from({ length: 2 * T * B }, () => rng.uniform());
  const mixed = Int32Array.from(inputs.toTypedArray());
  for (let pass = 0; pass < passes; pass++) {
    const scores = scope(() => {
      const all = logits(tensor(mixed, { shape: [T, B], backend: inputs.backend }));
      checkScores(all, T, B);
      return all;
    });
    const V = scores.shape[2]!;
    const flat = scores.toTypedArray();
    for (let i = B; i < T * B; i++) {
      if (draws[2 * i]! < truth) continue;
      const row = i - B;
      const own = flat.subarray(row * V, (row + 1) * V);
      mixed[i] =
        temperature === 0
          ? likeliest(where, row, own)
          : drawn(where, row, own, how, draws[2 * i + 1]!);
    }
  }
  return tensor(mixed, { shape: [T, B], backend: inputs.backend });
}

function check({
  inputs,
  logits,
  truth,
  rng,
  temperature = 1,
  passes = 1,
}: ScheduledSamplingOptions) {
  const refuse = (what: string, got: unknown, Kind: ErrorConstructor = TypeError): never => {
    throw new Kind(`${where}: ${what}, got ${textOf(got)}`);
  };
  if (!isTensor(inputs) || inputs.dtype !== "int32" || inputs.rank !== 2) {
    const got = isTensor(inputs) ? describeTensor(inputs) : textOf(inputs);
    throw new TypeError(
      `${where}: inputs must be int32 [T, B], the true symbols of T steps, got ${got}`,
    );
  }
  if (typeof logits !== "function") {
    refuse("logits must be a function of inputs [T, B] that gives scores [T, B, V]", logits);
  }
  if (!(Number.isFinite(truth) && truth >= 0 && truth <= 1)) {
    refuse(
      "truth must be a probability from 0 to 1, that of keeping a true input",
      truth,
      RangeError,
    );
  }
  if (!(rng instanceof Rng)) refuse('rng must be a generator, such as rng(1, "sampling")', rng);
  if (!(Number.isFinite(temperature) && temperature >= 0)) {
    refuse("temperature must be a finite number of at least 0", temperature, RangeError);
  }
  if (!Number.isInteger(passes) || passes < 1) {
    refuse("passes must be a whole number of at least 1", passes, RangeError);
  }
}

function checkScores(scores: unknown, T: number, B: number): void {
  if (isTensor(scores) && scores.rank === 3 && scores.shape[2]! > 0) {
    if (scores.shape[0] === T && scores.shape[1] === B && scores.dtype !== "int32") return;
  }
  throw new RangeError(
    `${where}: logits must give float scores [${T}, ${B}, V] for inputs [${T}, ${B}], got ${isTensor(scores) ? describeTensor(scores) : textOf(scores)}`,
  );
}
