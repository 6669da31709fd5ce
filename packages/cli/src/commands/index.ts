import type { Command } from "../command/define.ts";
import { bench } from "./bench.ts";
import { check } from "./check.ts";
import { init } from "./init.ts";
import { inspect } from "./inspect.ts";
import { tape } from "./tape.ts";

/** Every subcommand, in the order of the help. */
export const commands: readonly Command[] = [check, tape, inspect, bench, init];
