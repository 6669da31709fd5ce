import {
  type Arguments,
  argsOf,
  type ByteRange,
  type Call,
  elementBytes,
  type KernelName,
  type Pointer,
  withArgs,
} from "./call.ts";

/** One way in which calls of a kernel become one. */
export interface Batching<Name extends KernelName = KernelName> {
  readonly kernel: Name;
  /** Heavier ones choose first how operands lie. */
  readonly weight: number;
  /** Whether the calls update one buffer in turn. */
  readonly isChain: boolean;
  /** What calls must share to become one; `undefined` for one that stays alone. */
  key(call: Call<Name>): string | undefined;
  /**
   * The one call for all, given in the order of their operands in memory, and the operands that lie
   * side by side.
   */
  merge(inMemory: readonly Call<Name>[], first: Call<Name>): Merged;
}

/** Several calls as one. */
export interface Merged {
  readonly call: Call<KernelName>;
  readonly columns: readonly Column[];
}

/** The bytes of one operand in each call, in the order in which they have to lie. */
export interface Column {
  /** The name of the argument. */
  readonly argument: string;
  readonly parts: readonly ByteRange[];
}

/** What is equal for equal arguments only: -0 is not 0. */
const textOf = (value: number | Pointer): string =>
  typeof value === "object"
    ? `${value.buffer}+${value.offset}`
    : Object.is(value, -0)
      ? "-0"
      : String(value);

type Named = Readonly<Record<string, number | Pointer>>;

/** The bytes of `count` elements of an operand in every call. */
function column<Name extends KernelName>(
  calls: readonly Call<Name>[],
  argument: keyof Arguments<Name> & string,
  count: number,
  size: number = elementBytes(calls[0]!),
): Column {
  const parts = calls.map((call) => {
    const pointer = (argsOf(call) as Named)[argument] as Pointer;
    return { ...pointer, bytes: count * size };
  });
  return { argument, parts };
}

/** `C_t = A_t W`: rows of one taller product. */
const rowsOfProduct: Batching<"matmul"> = {
  kernel: "matmul",
  weight: 3,
  isChain: false,
  key(call) {
    const { m, n, k, a, lda, aTransposed, b, ldb, bTransposed, c, ldc, accumulate } = argsOf(call);
    const isPlain = aTransposed === 0 && accumulate === 0 && lda === k && ldc === n;
    if (!isPlain || a.buffer < 0 || c.buffer < 0) return undefined;
    return `rows ${m} ${n} ${k} ${ldb} ${bTransposed} ${textOf(b)}`;
  },
  merge(calls) {
    const [first] = calls;
    const { m, n, k } = argsOf(first!);
    const columns = [column(calls, "a", m * k), column(calls, "c", m * n)];
    return { call: withArgs(first!, { m: m * calls.length }), columns };
  },
};

/** `D += A_t' G_t`: one product over all `t`. */
const depthOfProduct: Batching<"matmul"> = {
  kernel: "matmul",
  weight: 4,
  isChain: true,
  key(call) {
    const { m, n, k, a, lda, aTransposed, ldb, bTransposed, c, ldc } = argsOf(call);
    if (aTransposed !== 1 || bTransposed !== 0 || lda !== m || ldb !== n) return undefined;
    if (a.buffer < 0) return undefined;
    return `depth ${m} ${n} ${k} ${ldc} ${textOf(c)}`;
  },
  merge(calls, first) {
    const { accumulate } = argsOf(first);
    const { m, n, k } = argsOf(calls[0]!);
    const columns = [column(calls, "a", k * m), column(calls, "b", k * n)];
    return { call: withArgs(calls[0]!, { k: k * calls.length, accumulate }), columns };
  },
};

/**
 * How many elements of an operand there are in a row: one, one int32, or the product of some
 * arguments.
 */
type PerRow<Name extends KernelName> = 1 | "int32" | readonly (keyof Arguments<Name>)[];

/**
 * Rows of softmax, gathered rows, cross-entropies: more rows of one call, each operand contiguous.
 */
function rowwise<Name extends KernelName>(
  kernel: Name,
  rows: keyof Arguments<Name> & string,
  operands: { readonly [Operand in keyof Arguments<Name>]?: PerRow<Name> },
  {
    same,
    weight = 2,
    isChain = false,
  }: {
    /** Arguments that must be the same. */
    readonly same: readonly (keyof Arguments<Name>)[];
    readonly weight?: number;
    /** Whether the calls add to one buffer in turn. */
    readonly isChain?: boolean;
  },
): Batching<Name> {
  const list = Object.entries(operands) as [keyof Arguments<Name> & string, PerRow<Name>][];
  return {
    kernel,
    weight,
    isChain,
    key(call) {
      const args = argsOf(call) as Named;
      if (list.some(([operand]) => (args[operand] as Pointer).buffer < 0)) return undefined;
      return [...same, rows].map((name) => textOf(args[name as string]!)).join(" ");
    },
    merge(calls) {
      const [first] = calls as [Call<Name>];
      const args = argsOf(first) as Named;
      const count = args[rows] as number;
      const columns = list.map(([operand, per]) => {
        const factors = typeof per === "object" ? per.map((name) => args[name as string]) : [];
        const elements = (factors as number[]).reduce((product, factor) => product * factor, count);
        return column(calls, operand, elements, per === "int32" ? 4 : elementBytes(first));
      });
      const more = { [rows]: count * calls.length } as unknown as Partial<Arguments<Name>>;
      return { call: withArgs(first, more), columns };
    },
  };
}

/** Every way, in the order in which a call is asked for it. */
export const batchings: readonly Batching[] = [
  depthOfProduct,
  rowsOfProduct,
  rowwise("gather", "n", { indices: "int32", y: ["inner"] }, { same: ["inner", "x"] }),
  rowwise("addRows", "rows", { x: ["cols"] }, { same: ["cols", "y"], isChain: true }),
  rowwise(
    "scatterAdd",
    "n",
    { g: ["inner"], indices: "int32" },
    { same: ["inner", "y"], isChain: true },
  ),
  rowwise(
    "crossEntropy",
    "rows",
    { logits: ["cols"], targets: "int32", losses: 1 },
    { same: ["cols", "ignoreIndex"] },
  ),
  rowwise(
    "crossEntropyVjp",
    "rows",
    { logits: ["cols"], targets: "int32", g: 1, dx: ["cols"] },
    { same: ["cols", "ignoreIndex"] },
  ),
  rowwise("softmax", "rows", { x: ["cols"], y: ["cols"] }, { same: ["cols"] }),
  rowwise("logSoftmax", "rows", { x: ["cols"], y: ["cols"] }, { same: ["cols"] }),
  rowwise("fill", "n", { y: 1 }, { same: ["value"], weight: 0 }),
  rowwise(
    "sum",
    "outer",
    { x: ["length", "inner"], y: ["inner"] },
    { same: ["length", "inner"], weight: 1 },
  ),
] as readonly Batching[];
