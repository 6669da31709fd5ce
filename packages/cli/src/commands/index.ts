import type { Command } from "../command/define.ts";

/** Loads each subcommand, in the order of the help: one is run, and the others are not needed. */
const loaders: Readonly<Record<string, () => Promise<Command>>> = {
  train: async () => (await import("./train.ts")).train,
  generate: async () => (await import("./generate.ts")).generate,
  evaluate: async () => (await import("./evaluate.ts")).evaluate,
  flow: async () => (await import("./flow.ts")).flow,
  forecast: async () => (await import("./forecast.ts")).forecast,
  runs: async () => (await import("./runs.ts")).runs,
  check: async () => (await import("./check.ts")).check,
  estimators: async () => (await import("./estimators.ts")).estimators,
  tape: async () => (await import("./tape.ts")).tape,
  inspect: async () => (await import("./inspect.ts")).inspect,
  bench: async () => (await import("./bench.ts")).bench,
  init: async () => (await import("./init.ts")).init,
  completion: async () => (await import("./completion.ts")).completion,
};

/** Every subcommand. */
export async function allCommands(): Promise<Command[]> {
  return await Promise.all(Object.values(loaders).map((load) => load()));
}

/** The subcommands that words of a command line need: the one that is named, or all. */
export async function commandsFor(words: readonly string[]): Promise<Command[]> {
  const [first = ""] = words;
  if (first === "--version" || first === "-V") return [];
  return Object.hasOwn(loaders, first) ? [await loaders[first]!()] : await allCommands();
}
