// Ops without a public name: derivative rules and layers are written with them. They are in the op
// table, and no methods.
export * from "./affine.ts";
export * from "./crossEntropy.ts";
export * from "./unslice.ts";
