import { type Family, type Kernels, linkageOf } from "./contract.ts";
import type { Memory } from "./memory.ts";
import { instanceOn } from "./simd/instantiate.ts";

/**
 * Which function of a kernel set a compiled program imports: the code behind a kernel for calls
 * with certain arguments, its function on vectors, or the kernel as the set has it.
 */
export type Link =
  | {
      readonly from: "code";
      readonly family: Family;
      readonly name: string;
      readonly args: readonly number[];
    }
  | { readonly from: "lanes" | "set"; readonly family: Family; readonly name: string };

/** A compiled program, and where what it imports is found in a kernel set. */
export interface Unlinked {
  readonly module: Uint8Array<ArrayBuffer>;
  readonly links: readonly (readonly [name: string, link: Link])[];
}

/** The function of a set that a link names. */
export function functionOf(kernels: Kernels, link: Link): (...args: never[]) => unknown {
  const { family, name } = link;
  if (link.from === "lanes") return kernels.linkage!.lanes(family, name)!;
  if (link.from === "code")
    return linkageOf(kernels, family, name)!.linkable(family, name, link.args)!.run;
  return (kernels[family] as unknown as Readonly<Record<string, () => unknown>>)[name]!;
}

/** A compiled program, linked to kernels: its runs take the address of a frame. */
export function linkedOn(
  { module, links }: Unlinked,
  memory: Memory,
  kernels: Kernels,
  arena: number,
): Readonly<Record<string, (frame: number) => void>> {
  const scratch = kernels.linkage?.scratch ?? 0;
  const functions = Object.fromEntries(
    links.map(([name, link]) => [name, functionOf(kernels, link)]),
  );
  const exports = instanceOn(module, memory, { ...functions, arena, scratch });
  return exports as unknown as Readonly<Record<string, (frame: number) => void>>;
}
