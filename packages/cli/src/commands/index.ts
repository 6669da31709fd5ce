import type { Command } from "../command/define.ts";
import { check } from "./check.ts";
import { evaluate } from "./evaluate.ts";
import { generate } from "./generate.ts";
import { runs } from "./runs.ts";
import { train } from "./train.ts";

/** Every subcommand, in the order of the help. */
export const commands: readonly Command[] = [train, generate, evaluate, runs, check];
