import {
  type AdamState,
  adam,
  type ClipState,
  chain,
  clipByGlobalNorm,
  type GradientTransformation,
} from "@chronograd/nn";

/** The state of the optimizer. */
export interface OptimizerState {
  readonly clip: ClipState;
  readonly adam: AdamState;
}

/** Clipping, and Adam at the rate that is asked for before each update. */
export function optimizerOf(
  { clip }: { readonly clip: number },
  rate: () => number,
): GradientTransformation<OptimizerState> {
  return chain({ clip: clipByGlobalNorm(clip), adam: adam({ learningRate: rate }) });
}
