import type { Command } from "../command/define.ts";
import { bench } from "./bench.ts";
import { check } from "./check.ts";
import { completion } from "./completion.ts";
import { evaluate } from "./evaluate.ts";
import { forecast } from "./forecast.ts";
import { generate } from "./generate.ts";
import { init } from "./init.ts";
import { inspect } from "./inspect.ts";
import { runs } from "./runs.ts";
import { tape } from "./tape.ts";
import { train } from "./train.ts";

const declared = [
  ...[train, generate, evaluate, forecast, runs],
  ...[check, tape, inspect, bench, init],
];

/** Every subcommand, in the order of the help. */
export const commands: readonly Command[] = [...declared, completion(declared)];
