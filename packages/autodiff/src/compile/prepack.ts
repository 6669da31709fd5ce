import { type Family, type Kernels, linkageOf } from "../kernels/contract.ts";
import { packedLength, productSignatures } from "../kernels/matmul.ts";
import { argsOf, type Call, callOf, elementBytes, isCallOf, touches } from "./call.ts";
import type { Buffer, Program } from "./program.ts";

/** Products of fewer rows read the matrix where it lies: they would wait for their own sums. */
const leastRows = 2;

/** Packs a matrix that several products share, a weight say, once for all of them. */
export function prepacked(program: Program, kernels: Kernels): Program {
  const { calls } = program;
  const buffers: Buffer[] = [...program.buffers];
  /** By buffer: the first run that writes it. What runs before reads it as it came. */
  const written = new Map<number, number>();
  for (const call of calls) {
    for (const buffer of touches(call).writes) {
      written.set(buffer, Math.min(call.phase, written.get(buffer) ?? call.phase));
    }
  }
  const groups = new Map<string, number[]>();
  for (const [at, call] of calls.entries()) {
    if (!isCallOf(call, "matmul")) continue;
    const { m, n, k, b, ldb, bTransposed } = argsOf(call);
    if (m < leastRows || (written.get(b.buffer) ?? Infinity) <= call.phase) continue;
    if (kernels.prefersPacked?.(m, n, k) === false || !areTogether(kernels, call)) continue;
    const matrix = [n, k, b.buffer, b.offset, ldb, bTransposed];
    const key = [call.phase, call.family, ...matrix].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), at]);
  }
  const before = new Map<number, Call>();
  const changed = new Map<number, Call>();
  for (const members of groups.values()) {
    if (members.length < 2) continue;
    const first = calls[members[0]!] as Call<"matmul">;
    const { n, k, b, ldb, bTransposed } = argsOf(first);
    const bytes = packedLength(n, k) * elementBytes(first);
    const packed = { buffer: buffers.push({ bytes, slot: -1 }) - 1, offset: 0 };
    before.set(members[0]!, callOf(first, "pack", { n, k, b, ldb, bTransposed, y: packed }));
    for (const member of members) {
      const args = argsOf(calls[member] as Call<"matmul">);
      changed.set(member, callOf(first, "matmulPacked", { ...args, b: packed }));
    }
  }
  const next = calls.flatMap((call, at) => {
    const pack = before.get(at);
    return pack === undefined ? [changed.get(at) ?? call] : [pack, changed.get(at)!];
  });
  return { ...program, buffers, calls: next };
}

/**
 * Whether the three kernels of products belong to each other: a set that replaces `matmul` alone
 * has it called.
 */
function areTogether(kernels: Kernels, { family }: Call): boolean {
  const linked = Object.keys(productSignatures).map(
    (name) => linkageOf(kernels, family as Family, name) !== undefined,
  );
  return linked.every((isLinked) => isLinked === linked[0]);
}
