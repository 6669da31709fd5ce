const [, , mode] = process.argv;
const { BENCH_THREADS: threads } = process.env;

/** Whether steps run as plans; not if the first argument is `recorded`. */
export const compiles: boolean = mode !== "recorded";

/**
 * Whether a step is one plan of `compile`: gradient, clipping and optimizer. Otherwise the library
 * plans the loop over the steps, for any length.
 */
export const isWhole: boolean = mode === "whole";

/** Whether the gradient of a step is one plan for shards of the rows, by `dataParallel`. */
export const isShared: boolean = mode === "shards";

/** The option `threads` of what is planned; the library chooses unless a number is given. */
export const threading: { readonly threads?: number } =
  threads === undefined ? {} : { threads: Number(threads) };
