import type { Decoded, DecodedTensor } from "@chronograd/nn/safetensors";
import { indexOf } from "./indexOf.ts";

/** What is in a tensor, in numbers. */
export interface Numbers {
  /** The Euclidean norm of its finite elements. */
  readonly norm: number;
  /** The least and the greatest finite element; `null` where there is none. */
  readonly min: number | null;
  readonly max: number | null;
  readonly nonFinite: number;
  /** Each kind of number that is not finite: how many, and the index of the first. */
  readonly odd: readonly {
    readonly value: string;
    readonly count: number;
    readonly first: readonly number[];
  }[];
}

/** A tensor of a file. */
export interface TensorDescription extends Partial<Numbers> {
  readonly name: string;
  /** The element type in the file. */
  readonly type: string;
  readonly shape: readonly number[];
  readonly bytes: number;
  /** Why its elements cannot be read. */
  readonly problem?: string;
}

/** Each tensor of a file, in the order of its header. */
export function describeTensors({ names, tensors }: Decoded): TensorDescription[] {
  return names.map((name) => {
    const tensor = tensors[name]!;
    const { stored: type, shape, byteLength: bytes } = tensor;
    const described = { name, type, shape, bytes };
    try {
      return { ...described, ...numbersOf(tensor) };
    } catch (error) {
      const problem = (error as Error).message.replace("decodeSafetensors: ", "");
      return { ...described, problem };
    }
  });
}

/** Norm and extremes of the finite elements; the others counted and located. */
export function numbersOf({ data, shape }: Pick<DecodedTensor, "data" | "shape">): Numbers {
  let [min, max] = [Infinity, -Infinity];
  const odd = new Map<string, { value: string; count: number; first: readonly number[] }>();
  for (let i = 0; i < data.length; i++) {
    const x = data[i]!;
    if (Number.isFinite(x)) {
      min = Math.min(min, x);
      max = Math.max(max, x);
      continue;
    }
    const value = String(x);
    const known = odd.get(value);
    if (known === undefined) odd.set(value, { value, count: 1, first: indexOf(i, shape) });
    else known.count++;
  }
  const found = [...odd.values()];
  const nonFinite = found.reduce((sum, { count }) => sum + count, 0);
  const isEmpty = min > max;
  const norm = isEmpty ? 0 : normOf(data, Math.max(Math.abs(min), Math.abs(max)));
  return { norm, min: isEmpty ? null : min, max: isEmpty ? null : max, nonFinite, odd: found };
}

/** `sqrt(sum x^2)`, scaled by the largest element, so that no square overflows or vanishes. */
function normOf(data: ArrayLike<number>, largest: number): number {
  if (largest === 0) return 0;
  let sum = 0;
  for (let i = 0; i < data.length; i++) {
    if (Number.isFinite(data[i])) sum += (data[i]! / largest) ** 2;
  }
  return largest * Math.sqrt(sum);
}
