import { type Kernels, packedLength } from "../kernels/contract.ts";
import { type Buffer, type Call, type Program, touches } from "./program.ts";

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
    const { kernel, args, buffers: places } = call;
    const [m, n, k] = args as [number, number, number];
    if (!kernel.endsWith(".matmul") || m < leastRows) continue;
    if ((written.get(places[6]!) ?? Infinity) <= call.phase) continue;
    if (kernels.prefersPacked?.(m, n, k) === false) continue;
    const key = [call.phase, kernel, args[1], args[2], places[6], args[6], args[7], args[8]].join(
      " ",
    );
    groups.set(key, [...(groups.get(key) ?? []), at]);
  }
  const before = new Map<number, Call>();
  const changed = new Map<number, Call>();
  for (const members of groups.values()) {
    if (members.length < 2) continue;
    const first = calls[members[0]!]!;
    const [family] = first.kernel.split(".") as [string];
    const size = family === "float64" ? 8 : 4;
    const [, n, k, , , , b, ldb, bTransposed] = first.args as number[];
    const packed = buffers.push({ bytes: packedLength(n!, k!) * size, slot: -1 }) - 1;
    before.set(members[0]!, {
      kernel: `${family}.pack`,
      signature: "nnrnnw",
      args: [n!, k!, b!, ldb!, bTransposed!, 0],
      buffers: [-1, -1, first.buffers[6]!, -1, -1, packed],
      phase: first.phase,
    });
    for (const member of members) {
      const { args, buffers: places, phase } = calls[member]!;
      const pick = (list: readonly number[], to: number) => [
        ...list.slice(0, 6),
        to,
        ...list.slice(9),
      ];
      changed.set(member, {
        kernel: `${family}.matmulPacked`,
        signature: "nnnrnnrunn",
        args: pick(args, 0),
        buffers: pick(places, packed),
        phase,
      });
    }
  }
  const next = calls.flatMap((call, at) => {
    const pack = before.get(at);
    return pack === undefined ? [changed.get(at) ?? call] : [pack, changed.get(at)!];
  });
  return { ...program, buffers, calls: next };
}
