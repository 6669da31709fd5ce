import type { Command } from "../command/define.ts";

/** Every subcommand, in the order of the help. */
export const commands: readonly Command[] = [];
