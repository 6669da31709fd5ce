import { cells } from "./cells.ts";
import { checker } from "./checker.ts";
import { compiling } from "./compile.ts";
import { cuts } from "./cuts.ts";
import type { Mutant } from "./mutant.ts";
import { optimizers } from "./optimizers.ts";
import { passes } from "./passes.ts";
import { refusals } from "./refusals.ts";
import { arithmetic } from "./rules/arithmetic.ts";
import { elementwise } from "./rules/elementwise.ts";
import { gates } from "./rules/gates.ts";
import { layerNorm } from "./rules/layerNorm.ts";
import { movement } from "./rules/movement.ts";
import { products } from "./rules/products.ts";
import { reductions } from "./rules/reductions.ts";
import { sequenceMutants } from "./sequences.ts";
import { tape } from "./tape.ts";
import { training } from "./training.ts";
import { valuesTaken } from "./values.ts";

/** The published set: one bug each, in rules, passes, cuts and what is built on them. */
export const mutants: readonly Mutant[] = [
  ...elementwise,
  ...arithmetic,
  ...reductions,
  ...products,
  ...movement,
  ...gates,
  ...layerNorm,
  ...passes,
  ...tape,
  ...checker,
  ...cells,
  ...cuts,
  ...sequenceMutants,
  ...training,
  ...optimizers,
  ...compiling,
  ...valuesTaken,
  ...refusals,
];
