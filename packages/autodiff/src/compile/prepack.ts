import { type Kernels, packedLength } from "../kernels/contract.ts";
import { type Buffer, type Call, elementBytes, type Program, touches } from "./program.ts";

/** Products of fewer rows read the matrix where it lies: they would wait for their own sums. */
const leastRows = 2;

/** How products read the matrix that they share: as it was prepared, once. */
interface Prepared {
  readonly bytes: number;
  /** Makes the matrix ready at offset 0 of a buffer. */
  prepare(to: number): Call;
  /** A product that reads it there. */
  read(product: Call, from: number): Call;
}

/**
 * Makes a matrix that several products share, a weight say, ready once for all of them: packed for products of these
 * kernels, the right way round for those of a native library, which is slow to read few rows against a transposed matrix.
 */
export function prepacked(program: Program, kernels: Kernels): Program {
  const { calls } = program;
  const buffers: Buffer[] = [...program.buffers];
  const written = new Set(calls.flatMap((call) => touches(call).writes));
  const groups = new Map<string, number[]>();
  for (const [at, { kernel, args, buffers: places, phase }] of calls.entries()) {
    const [m, n, k] = args as [number, number, number];
    if (!kernel.endsWith(".matmul") || m < leastRows || written.has(places[6]!)) continue;
    const packs = kernels.prefersPacked?.(m, n, k) ?? true;
    if (!packs && args[8] === 0) continue;
    const key = [phase, kernel, packs, n, k, places[6], args[6], args[7], args[8]].join(" ");
    groups.set(key, [...(groups.get(key) ?? []), at]);
  }
  const next: Call[][] = calls.map((call) => [call]);
  for (const members of groups.values()) {
    const [at] = members as [number];
    const [m, n, k] = calls[at]!.args as [number, number, number];
    if (members.length < 2) continue;
    const packs = kernels.prefersPacked?.(m, n, k) ?? true;
    const { bytes, prepare, read } = (packs ? packed : upright)(calls[at]!);
    const buffer = buffers.push({ bytes, slot: -1 }) - 1;
    for (const member of members) next[member] = [read(calls[member]!, buffer)];
    next[at]!.unshift(prepare(buffer));
  }
  return { ...program, buffers, calls: next.flat() };
}

/** In the form that `matmulPacked` reads. */
function packed({ kernel, args, buffers, phase }: Call): Prepared {
  const family = kernel.slice(0, kernel.indexOf("."));
  const [, n, k, , , , b, ldb, bTransposed] = args as number[];
  return {
    bytes: packedLength(n!, k!) * elementBytes(kernel),
    prepare: (to) => ({
      kernel: `${family}.pack`,
      signature: "nnrnnw",
      args: [n!, k!, b!, ldb!, bTransposed!, 0],
      buffers: [-1, -1, buffers[6]!, -1, -1, to],
      phase,
    }),
    read(product, from) {
      const pick = (list: readonly number[], place: number) => [
        ...list.slice(0, 6),
        place,
        ...list.slice(9),
      ];
      return {
        ...product,
        kernel: `${family}.matmulPacked`,
        signature: "nnnrnnrunn",
        args: pick(product.args, 0),
        buffers: pick(product.buffers, from),
      };
    },
  };
}

/** A transposed matrix as it is multiplied by. */
function upright({ kernel, args, buffers, phase }: Call): Prepared {
  const [, n, k, , , , b, ldb] = args as number[];
  const size = elementBytes(kernel);
  return {
    bytes: n! * k! * size,
    prepare: (to) => ({
      kernel: `move${8 * size}.copy`,
      signature: "nnrnnunn",
      args: [k!, n!, b!, 1, ldb!, 0, n!, 1],
      buffers: [-1, -1, buffers[6]!, -1, -1, to, -1, -1],
      phase,
    }),
    read(product, from) {
      const [places, values] = [[...product.buffers], [...product.args]];
      places[6] = from;
      [values[6], values[7], values[8]] = [0, n!, 0];
      return { ...product, buffers: places, args: values };
    },
  };
}
