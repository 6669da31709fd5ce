/**
 * What training needs around gradients: parameters, layers, losses, optimizers, clipping,
 * schedules, files.
 *
 * @packageDocumentation
 */
export { type AdaptiveOptions, clipAdaptive } from "./clip/adaptive.ts";
export type { ClipState } from "./clip/clipping.ts";
export { clipByGlobalNorm, type NormOptions } from "./clip/globalNorm.ts";
export type { NonFiniteAction, NonFiniteOption } from "./clip/nonFinite.ts";
export type { NormOrder } from "./clip/norm.ts";
export { clipPerParameter } from "./clip/perParameter.ts";
export { clipByValue } from "./clip/value.ts";
export type { ShapeAndDType, WholeNumbers } from "./init/constant.ts";
export * as init from "./init/index.ts";
export { type InitializeOptions, initialize } from "./init/initialize.ts";
export { type Initializer, isInitializer } from "./init/initializer.ts";
export {
  type Attention,
  type AttentionOptions,
  dotProductAttention,
} from "./layers/dotProductAttention.ts";
export { type Dropout, dropout } from "./layers/dropout.ts";
export { type EmbeddingIndices, type EmbeddingParams, embedding } from "./layers/embedding.ts";
export type { Layer } from "./layers/layer.ts";
export { type LayerNormParams, layerNorm } from "./layers/layerNorm.ts";
export {
  type LinearOptions,
  type LinearParams,
  type LinearParamsWithoutBias,
  linear,
} from "./layers/linear.ts";
export { binaryCrossEntropyFromLogits } from "./losses/binaryCrossEntropy.ts";
export {
  type ClassTargets,
  type CrossEntropyOptions,
  crossEntropy,
} from "./losses/crossEntropy.ts";
export {
  type CtcOptions,
  type CtcTargets,
  ctcLoss,
  type ImpossibleTarget,
} from "./losses/ctcLoss.ts";
export { type GaussianOptions, gaussianNegativeLogLikelihood } from "./losses/gaussian.ts";
export { type HuberOptions, huber } from "./losses/huber.ts";
export { meanSquaredError } from "./losses/meanSquaredError.ts";
export { quantileLoss } from "./losses/quantile.ts";
export type { Reduction, ReductionOption } from "./losses/reduction.ts";
export { type AdagradOptions, type AdagradState, adagrad } from "./optim/adagrad.ts";
export { adam } from "./optim/adam.ts";
export { adamW } from "./optim/adamW.ts";
export type { AdamOptions, AdamState } from "./optim/adaptiveMoments.ts";
export { addDecayedWeights } from "./optim/addDecayedWeights.ts";
export { applyUpdates } from "./optim/applyUpdates.ts";
export { type ChainState, chain } from "./optim/chain.ts";
export type { RuleState } from "./optim/fromRule.ts";
export { type RmspropOptions, type RmspropState, rmsprop } from "./optim/rmsprop.ts";
export { scale } from "./optim/scale.ts";
export { scaleByLearningRate } from "./optim/scaleByLearningRate.ts";
export { type SgdOptions, type SgdState, sgd } from "./optim/sgd.ts";
export { type TraceOptions, trace } from "./optim/trace.ts";
export type { GradientTransformation } from "./optim/transformation.ts";
export { type Communicator, selfCommunicator, WorkerError } from "./parallel/communicator.ts";
export { gather } from "./parallel/gather.ts";
export * from "./parameters.ts";
export { rngFrom } from "./rng/resume.ts";
export { Rng, type RngState, rng } from "./rng/rng.ts";
export { type CosineDecayOptions, cosineDecay } from "./schedules/cosineDecay.ts";
export { type ExponentialDecayOptions, exponentialDecay } from "./schedules/exponentialDecay.ts";
export { type LinearWarmupOptions, linearWarmup } from "./schedules/linearWarmup.ts";
export { type OneCycleOptions, oneCycle } from "./schedules/oneCycle.ts";
export {
  type Plateau,
  type PlateauOptions,
  type PlateauState,
  plateau,
} from "./schedules/plateau.ts";
export { type LearningRate, type Schedule, schedule } from "./schedules/schedule.ts";
export { type StepDecayOptions, stepDecay } from "./schedules/stepDecay.ts";
