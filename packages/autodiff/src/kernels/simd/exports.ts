import { type Family, kernelNames, signatures } from "../contract.ts";
import { binaryNames, scaledNames, unaryNames } from "../elementwise.ts";
import { int32BinaryNames } from "../int32.ts";

/** What exports of a family begin with, where it is not the family's name. */
const prefixes: Readonly<Record<string, string>> = { float32: "f32", float64: "f64" };

function prefixed(family: Family, name: string): string {
  return `${prefixes[family] ?? family}_${name}`;
}

/** Kernels whose export takes the address of scratch memory after the contract's arguments. */
export function takesScratch(name: string): boolean {
  return name === "matmul" || name === "matmulPacked";
}

/**
 * The export that serves a kernel, and, for int32, the code of its function, which comes after the
 * contract's arguments.
 */
export function exportOf(family: Family, name: string): readonly [name: string, code?: number] {
  if (family !== "int32") return [prefixed(family, name)];
  const folded = { sum: "add", max: "maximum", min: "minimum" }[name];
  const code = (int32BinaryNames as readonly string[]).indexOf(folded ?? name);
  if (code < 0) return [prefixed(family, name)];
  return [prefixed(family, folded === undefined ? "binary" : "fold"), code];
}

/** The export that computes an element-wise function on one vector. */
export function lanesExport(family: Family, name: string): string {
  return prefixed(family, `lanes_${name}`);
}

/**
 * What the kernel module has to export, and what it may: its memory, vector functions of
 * element-wise kernels.
 */
export function expectedExports(): { needed: Set<string>; allowed: Set<string> } {
  const needed = new Set([
    ...["firstOutOfRange", "f32_matmulScratch", "f64_matmulScratch"],
    ...["roomBytes", "useRoom"],
  ]);
  const allowed = new Set(["memory"]);
  for (const family of Object.keys(signatures) as Family[]) {
    for (const name of kernelNames(family)) needed.add(exportOf(family, name)[0]);
    if (!(family in prefixes)) continue;
    for (const name of [...unaryNames, ...scaledNames, ...binaryNames])
      allowed.add(lanesExport(family, name));
    allowed.add(lanesExport(family, "smallSigmoid"));
  }
  return { needed, allowed };
}
