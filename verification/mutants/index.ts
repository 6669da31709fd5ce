import { averages } from "./averages.ts";
import { cells } from "./cells.ts";
import { checker } from "./checker.ts";
import { compiling } from "./compile.ts";
import { compiledStepMutants } from "./compiledSteps.ts";
import { cuts } from "./cuts.ts";
import { estimators } from "./estimators.ts";
import { files } from "./files.ts";
import { flow } from "./flow.ts";
import { forwardMutants } from "./forward.ts";
import { lags } from "./lags.ts";
import { linear } from "./linear.ts";
import { live } from "./live.ts";
import { loops } from "./loops.ts";
import { markMutants } from "./marks.ts";
import { memoryMutants } from "./memory.ts";
import { models } from "./models.ts";
import type { Mutant } from "./mutant.ts";
import { optimizers } from "./optimizers.ts";
import { passes } from "./passes.ts";
import { pytorch } from "./pytorch.ts";
import { refusals } from "./refusals.ts";
import { refusalsOfFiles } from "./refusalsOfFiles.ts";
import { arithmetic } from "./rules/arithmetic.ts";
import { ctc } from "./rules/ctc.ts";
import { elementwise } from "./rules/elementwise.ts";
import { gates } from "./rules/gates.ts";
import { layerNorm } from "./rules/layerNorm.ts";
import { movement } from "./rules/movement.ts";
import { products } from "./rules/products.ts";
import { recurrence } from "./rules/recurrence.ts";
import { reductions } from "./rules/reductions.ts";
import { windows } from "./rules/windows.ts";
import { sequences } from "./sequences.ts";
import { shards } from "./shards.ts";
import { spectra } from "./spectra.ts";
import { tape } from "./tape.ts";
import { tapeEngine } from "./tapeEngine.ts";
import { training } from "./training.ts";
import { valuesTaken } from "./values.ts";

/** The published set: one bug each, in rules, passes, cuts and what is built on them. */
export const mutants: readonly Mutant[] = [
  ...elementwise,
  ...arithmetic,
  ...reductions,
  ...products,
  ...ctc,
  ...movement,
  ...windows,
  ...gates,
  ...layerNorm,
  ...recurrence,
  ...passes,
  ...tape,
  ...memoryMutants,
  ...checker,
  ...cells,
  ...models,
  ...forwardMutants,
  ...linear,
  ...tapeEngine,
  ...cuts,
  ...flow,
  ...live,
  ...estimators,
  ...sequences,
  ...markMutants,
  ...loops,
  ...lags,
  ...spectra,
  ...training,
  ...optimizers,
  ...compiledStepMutants,
  ...pytorch,
  ...files,
  ...averages,
  ...compiling,
  ...shards,
  ...valuesTaken,
  ...refusals,
  ...refusalsOfFiles,
];
