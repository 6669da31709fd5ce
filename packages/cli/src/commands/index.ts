import type { Command } from "../command/define.ts";
import { check } from "./check.ts";

/** Every subcommand, in the order of the help. */
export const commands: readonly Command[] = [check];
