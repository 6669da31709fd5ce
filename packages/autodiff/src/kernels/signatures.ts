import {
  argReduceNames,
  binaryNames,
  int32BinaryNames,
  int32ReduceNames,
  reduceNames,
  rowsNames,
  scaledNames,
  unaryNames,
} from "./contract.ts";
import { gateSignatures } from "./gates.ts";
import { normalizationSignatures } from "./normalization.ts";
import { updateSignatures } from "./update.ts";

/**
 * What each argument of a kernel is, one letter each: `n` a whole number, `s` a number of the kernel's dtype, `r` a
 * pointer that is read, `w` one that is written whole, `u` one that is read and written, or written in part.
 */
export type Signature = string;

function all(names: readonly string[], signature: Signature): [string, Signature][] {
  return names.map((name) => [name, signature]);
}

/** Kernels of a floating dtype that return nothing, in the order of their arguments. */
export const floatSignatures: Readonly<Record<string, Signature>> = Object.fromEntries([
  ...all(unaryNames, "nrw"),
  ...all(scaledNames, "nrws"),
  ...all(binaryNames, "nnrnnrnnw"),
  ...all(reduceNames, "nnnrw"),
  ...all(argReduceNames, "nnnrw"),
  ...all(rowsNames, "nnrw"),
  ["select", "nnrnnrnnrnnw"],
  ["cumsum", "nnnnrw"],
  ["argsort", "nnnrww"],
  ["matmul", "nnnrnnrnnunn"],
  ["pack", "nnrnnw"],
  ["matmulPacked", "nnnrnnrunn"],
  ["scatterAdd", "nnrru"],
  ["oneHot", "nnrw"],
  ["crossEntropy", "nnrrnw"],
  ["crossEntropyVjp", "nnrrnrw"],
  ["addRows", "nnru"],
  ["addTo", "nnrnnunn"],
  ["fill", "nsw"],
  ...Object.entries(gateSignatures),
  ...Object.entries(normalizationSignatures),
  ...Object.entries(updateSignatures),
]);

/** Kernels of int32. */
export const int32Signatures: Readonly<Record<string, Signature>> = {
  ...Object.fromEntries(
    [...int32BinaryNames, ...int32ReduceNames].map((name) => [name, floatSignatures[name]!]),
  ),
  select: floatSignatures.select!,
  cumsum: floatSignatures.cumsum!,
  scatterAdd: floatSignatures.scatterAdd!,
  fill: "nnw",
};

/** Kernels that move elements of one size. */
export const moveSignatures: Readonly<Record<string, Signature>> = {
  copy: "nnrnnunn",
  gather: "nnrrw",
};

/** Every conversion. */
export const castSignature: Signature = "nrw";
