/**
 * Commands: one declaration gives flags, help, validation, a configuration file and JSON output.
 *
 * @module
 */
/// <reference types="node" />
export {
  type Command,
  type CommandDefinition,
  defineCommand,
  type Positional,
} from "./command/define.ts";
export { RunError, UsageError } from "./command/errors.ts";
export type { Io } from "./command/io.ts";
export type { Progress, ProgressOptions } from "./command/progress.ts";
export { type RunCommandOptions, runCommand } from "./command/run.ts";
export { runFlags } from "./command/runFlags.ts";
