import { type Family, type Kernels, linkageOf } from "../kernels/contract.ts";
import { packedLength, productSignatures } from "../kernels/matmul.ts";
import {
  argsOf,
  type Call,
  callOf,
  elementBytes,
  isCallOf,
  type Pointer,
  touches,
  withArgs,
} from "./call.ts";
import type { Buffer, Program } from "./program.ts";

/** Products of one row that make it worth to transpose their matrix. */
const leastTransposed = 8;

/**
 * Packs a matrix that several products share, a weight say, once for all of them. Products of one
 * row read it by its rows where it lies, since they would wait for sums of packed columns; if it is
 * stored by columns, it is transposed.
 */
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
    if ((written.get(b.buffer) ?? Infinity) <= call.phase) continue;
    if (m === 0 || (m === 1 && bTransposed === 0)) continue;
    if (kernels.prefersPacked?.(m, n, k) === false || !areTogether(kernels, call)) continue;
    const matrix = [n, k, b.buffer, b.offset, ldb, bTransposed];
    const key = [call.phase, call.family, m === 1, ...matrix].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), at]);
  }
  const before = new Map<number, Call>();
  const changed = new Map<number, Call>();
  for (const members of groups.values()) {
    const first = calls[members[0]!] as Call<"matmul">;
    const { m, n, k, b, ldb, bTransposed } = argsOf(first);
    const isRow = m === 1;
    if (members.length < (isRow ? leastTransposed : 2)) continue;
    const bytes = (isRow ? n * k : packedLength(n, k)) * elementBytes(first);
    const y = { buffer: buffers.push({ bytes, slot: -1 }) - 1, offset: 0 };
    before.set(
      members[0]!,
      isRow ? transposed(first, y) : callOf(first, "pack", { n, k, b, ldb, bTransposed, y }),
    );
    for (const member of members) {
      const call = calls[member] as Call<"matmul">;
      const next = isRow
        ? withArgs(call, { b: y, ldb: n, bTransposed: 0 })
        : callOf(first, "matmulPacked", { ...argsOf(call), b: y });
      changed.set(member, next);
    }
  }
  const next = calls.flatMap((call, at) => {
    const pack = before.get(at);
    return pack === undefined ? [changed.get(at) ?? call] : [pack, changed.get(at)!];
  });
  return { ...program, buffers, calls: next };
}

/** The matrix of a product, stored by columns, as its rows in `y`. */
function transposed(call: Call<"matmul">, y: Pointer): Call {
  const { n, k, b, ldb } = argsOf(call);
  const family = call.family === "float64" ? "move64" : "move32";
  const { phase } = call;
  return callOf({ family, phase }, "copy", {
    ...{ rows: k, cols: n, x: b, xRow: 1, xCol: ldb, y, yRow: n, yCol: 1 },
  });
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
