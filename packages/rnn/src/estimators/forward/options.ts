import type { Tensor } from "@chronograd/autodiff";
import { checkOptions } from "@chronograd/autodiff/internal";
import type { Rng } from "@chronograd/nn";
import { textOf } from "../../checkDefinition.ts";
import {
  ofStreams,
  type StreamOptions,
  type StreamSettings,
  streamSettings,
} from "../../truncated/options.ts";

/** How a forward estimator runs: as `truncated`, without k2. */
export interface ForwardOptions<State, Y = Tensor, Target = Tensor>
  extends Omit<StreamOptions<State, Y, Target>, "measure"> {
  /** Steps between updates: a window ends, and a gradient is yielded, every k1 steps. */
  readonly k1: number;
  /** How many bytes of kernel memory a step may take; 2^30 unless given. */
  readonly memory?: { readonly bytes: number };
}

/** As `ForwardOptions`, of an estimator that draws random signs. */
export interface RandomForwardOptions<State, Y = Tensor, Target = Tensor>
  extends ForwardOptions<State, Y, Target> {
  /**
   * Draws the estimator's random signs, apart from the model's own noise: with `draws.getState()`,
   * a checkpoint goes on with the same ones.
   */
  readonly draws: Rng;
}

/** Forward options, checked and with every default filled in. */
export interface ForwardSettings<State, Y, Target> extends StreamSettings<State, Y, Target> {
  readonly k1: number;
  readonly bytes: number;
  readonly draws: Rng | undefined;
  /** The estimator's own options, as text. */
  readonly own: string;
}

/** @param own names of the estimator's own options: it checks their values itself */
export function forwardSettings<State, Y, Target>(
  where: string,
  options: ForwardOptions<State, Y, Target> & { readonly draws?: Rng },
  own: readonly string[],
): ForwardSettings<State, Y, Target> {
  const isObject = typeof options === "object" && options !== null;
  if (isObject && "k2" in options) {
    throw new TypeError(
      `${where}: k2 is no option, because its gradients reach back to the first step of the stream; leave it out, or use truncated`,
    );
  }
  if (isObject && "measure" in options) {
    throw new TypeError(
      `${where}: measure is no option, because nothing is swept back; stateGradients of @chronograd/rnn/flow measures norms`,
    );
  }
  if (isObject) {
    const known = ofStreams.filter((name) => name !== "measure");
    checkOptions(where, options, ["k1", ...own, ...known, "memory"]);
  }
  const ofStream = streamSettings(where, options, ["k1", ...own], ["memory"]);
  const { k1, memory = {}, draws } = options;
  if ((!Number.isInteger(k1) && k1 !== Number.POSITIVE_INFINITY) || k1 < 1) {
    throw new RangeError(
      `${where}: k1 must be a whole number of steps of at least 1, got ${textOf(k1)}`,
    );
  }
  checkOptions(`${where}: memory`, memory, ["bytes"]);
  const { bytes = 2 ** 30 } = memory as { readonly bytes?: number };
  if (!(bytes > 0)) {
    throw new RangeError(`${where}: memory.bytes must be a number above 0, got ${textOf(bytes)}`);
  }
  if (own.includes("draws") && typeof (draws as Partial<Rng> | undefined)?.bits !== "function") {
    throw new TypeError(
      `${where}: draws must be a generator, as rng(1, "${where}") gives, got ${textOf(draws)}; the estimator draws random signs from it`,
    );
  }
  const values = own.filter((name) => name !== "draws");
  const text = JSON.stringify(values.map((name) => options[name as keyof typeof options]));
  return { ...ofStream, k1, bytes, draws, own: text };
}
