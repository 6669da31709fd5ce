import type { Stretch } from "./batch.ts";
import { type Buffer, type Call, elementBytes } from "./program.ts";

/** One way in which calls of a kind become one. */
export interface Batching {
  readonly name: string;
  /** Heavier ones choose first how operands lie. */
  readonly weight: number;
  /** Whether the calls update one buffer in turn. */
  readonly isChain: boolean;
  /** What calls must share to become one; `undefined` for a call of another kind. */
  key(call: Call, buffers: readonly Buffer[]): string | undefined;
  /** The one call for all, given in the order of their operands in memory, and the operands that lie side by side. */
  merge(inMemory: readonly Call[], first: Call): Merged;
}

/** Several calls as one. */
export interface Merged {
  readonly call: Call;
  readonly columns: readonly Column[];
}

/** The stretches of one operand, in the order in which they have to lie. */
export interface Column {
  /** Which argument. */
  readonly at: number;
  readonly parts: readonly Stretch[];
}

const nameOf = (kernel: string): string => kernel.slice(kernel.indexOf(".") + 1);

/** Where an operand is that all calls share. */
const shared = ({ buffers, args }: Call, i: number): string => `${buffers[i]}+${args[i]}`;

/** An operand's stretch of `count` elements in every call. */
function column(calls: readonly Call[], at: number, count: number, size: number): Column {
  const parts = calls.map(({ buffers, args }) => ({
    buffer: buffers[at]!,
    offset: args[at]!,
    bytes: count * size,
  }));
  return { at, parts };
}

function changed(call: Call, args: Readonly<Record<number, number>>): Call {
  return { ...call, args: call.args.map((value, i) => args[i] ?? value) };
}

/** `C_t = A_t W`: rows of one taller product. */
const rowsOfProduct: Batching = {
  name: "rows",
  weight: 3,
  isChain: false,
  key({ kernel, args, buffers }) {
    if (nameOf(kernel) !== "matmul") return undefined;
    const [m, n, k, , lda, aT, , ldb, bT, , ldc, accumulate] = args;
    if (
      aT !== 0 ||
      accumulate !== 0 ||
      lda !== k ||
      ldc !== n ||
      buffers[3]! < 0 ||
      buffers[9]! < 0
    )
      return undefined;
    return `${m} ${n} ${k} ${ldb} ${bT} ${buffers[6]}+${args[6]}`;
  },
  merge(calls) {
    const [first] = calls;
    const [m, n, k] = first!.args as [number, number, number];
    const size = elementBytes(first!.kernel);
    const columns = [column(calls, 3, m * k, size), column(calls, 9, m * n, size)];
    return { call: changed(first!, { 0: m * calls.length }), columns };
  },
};

/** `D += A_t' G_t`: one product over all `t`. */
const depthOfProduct: Batching = {
  name: "depth",
  weight: 4,
  isChain: true,
  key(call) {
    const { kernel, args } = call;
    if (nameOf(kernel) !== "matmul") return undefined;
    const [m, n, k, , lda, aT, , ldb, bT, , ldc] = args;
    if (aT !== 1 || bT !== 0 || lda !== m || ldb !== n) return undefined;
    if (call.buffers[3]! < 0) return undefined;
    return `${m} ${n} ${k} ${ldc} ${shared(call, 9)}`;
  },
  merge(calls, { args }) {
    const [first] = calls;
    const [m, n, k] = first!.args as [number, number, number];
    const size = elementBytes(first!.kernel);
    const columns = [column(calls, 3, k * m, size), column(calls, 6, k * n, size)];
    return { call: changed(first!, { 2: k * calls.length, 11: args[11]! }), columns };
  },
};

/** Rows of softmax, gathered rows, cross-entropies: `rows` of the call, each operand contiguous. */
function rowwise(
  name: string,
  {
    rows,
    operands,
    same,
    weight = 2,
    isChain = false,
  }: {
    /** The argument that says how many rows. */
    readonly rows: number;
    /** Operands with one stretch per row, and which argument (or 1) says how many elements that is. */
    readonly operands: readonly { at: number; per: number | undefined; bytes?: number }[];
    /** Arguments that must be the same. */
    readonly same: readonly number[];
    readonly weight?: number;
    /** Whether the calls add to one buffer in turn. */
    readonly isChain?: boolean;
  },
): Batching {
  return {
    name,
    weight,
    isChain,
    key(call) {
      if (nameOf(call.kernel) !== name || operands.some(({ at }) => call.buffers[at]! < 0))
        return undefined;
      return same
        .map((i) => (call.buffers[i]! >= 0 ? shared(call, i) : call.args[i]))
        .concat(call.args[rows]!)
        .join(" ");
    },
    merge(calls) {
      const [first] = calls;
      const count = first!.args[rows]!;
      const columns = operands.map(({ at, per, bytes }) =>
        column(
          calls,
          at,
          count * (per === undefined ? 1 : first!.args[per]!),
          bytes ?? elementBytes(first!.kernel),
        ),
      );
      return { call: changed(first!, { [rows]: count * calls.length }), columns };
    },
  };
}

/** Every way, in the order in which a call is asked for it. */
export const batchings: readonly Batching[] = [
  depthOfProduct,
  rowsOfProduct,
  rowwise("gather", {
    rows: 0,
    operands: [
      { at: 3, per: undefined, bytes: 4 },
      { at: 4, per: 1 },
    ],
    same: [1, 2],
  }),
  rowwise("addRows", {
    rows: 0,
    operands: [{ at: 2, per: 1 }],
    same: [1, 3],
    isChain: true,
  }),
  rowwise("scatterAdd", {
    rows: 0,
    operands: [
      { at: 2, per: 1 },
      { at: 3, per: undefined, bytes: 4 },
    ],
    same: [1, 4],
    isChain: true,
  }),
  rowwise("crossEntropy", {
    rows: 0,
    operands: [
      { at: 2, per: 1 },
      { at: 3, per: undefined, bytes: 4 },
      { at: 5, per: undefined },
    ],
    same: [1, 4],
  }),
  rowwise("crossEntropyVjp", {
    rows: 0,
    operands: [
      { at: 2, per: 1 },
      { at: 3, per: undefined, bytes: 4 },
      { at: 5, per: undefined },
      { at: 6, per: 1 },
    ],
    same: [1, 4],
  }),
  rowwise("softmax", {
    rows: 0,
    operands: [
      { at: 2, per: 1 },
      { at: 3, per: 1 },
    ],
    same: [1],
  }),
  rowwise("logSoftmax", {
    rows: 0,
    operands: [
      { at: 2, per: 1 },
      { at: 3, per: 1 },
    ],
    same: [1],
  }),
  rowwise("fill", { rows: 0, operands: [{ at: 2, per: undefined }], same: [1], weight: 0 }),
  rowwise("sum", {
    rows: 0,
    operands: [
      { at: 3, per: 1 },
      { at: 4, per: 2 },
    ],
    same: [1, 2],
    weight: 1,
  }),
];
