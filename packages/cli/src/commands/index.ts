import type { Command } from "../command/define.ts";
import { forecast } from "./forecast.ts";

/** Every subcommand, in the order of the help. */
export const commands: readonly Command[] = [forecast];
