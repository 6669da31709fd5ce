/** Whether steps run as plans of `compile`; not if the first argument is `recorded`. */
export const compiles: boolean = process.argv[2] !== "recorded";
