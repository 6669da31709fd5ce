const mode = process.argv[2];

/** Whether steps run as plans; not if the first argument is `recorded`. */
export const compiles: boolean = mode !== "recorded";

/**
 * Whether a minibatch step is one plan of `compile`, which has its length, and not a loop that
 * `unroll` plans for any length.
 */
export const isWhole: boolean = mode === "whole";
