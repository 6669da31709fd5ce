/** Whether steps run as plans, as `compile` makes them: the first argument says `recorded` where not. */
export const compiles: boolean = process.argv[2] !== "recorded";
