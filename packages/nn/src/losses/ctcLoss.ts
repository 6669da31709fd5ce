import { Tensor } from "@chronograd/autodiff";
import { apply, type OpDeclaration } from "@chronograd/autodiff/extend";
import { checkOptions, describeType, refuseTracing } from "@chronograd/autodiff/internal";
import { checkWhole, shown } from "../checks.ts";
import { fewestSteps, framesOf, latticeGradient, latticeLoss, withBlanks } from "./ctcLattice.ts";
import { type ReductionOption, reduce } from "./reduction.ts";

/**
 * What becomes of a target that no alignment gives a probability above 0, such as one with more
 * labels than steps: an error, a loss of 0, or a loss of `Infinity`. Its gradient is 0.
 */
export type ImpossibleTarget = "throw" | "zero" | "infinity";

/** Options of `ctcLoss`. */
export interface CtcOptions extends ReductionOption {
  /** How many steps each row has: B numbers, or an int32 tensor `[B]`; all T unless given. */
  readonly lengths?: ArrayLike<number> | Tensor;
  /** The class that stands for no label; 0 unless given. */
  readonly blank?: number;
  /** `"throw"` unless given. */
  readonly impossible?: ImpossibleTarget;
}

/** Labels of each row of a batch. */
export type CtcTargets = readonly ArrayLike<number>[];

/** Rows that are checked. */
interface Rows {
  /** Each target with blanks around its labels. */
  readonly states: readonly Int32Array[];
  readonly lengths: readonly number[];
  readonly impossible: ImpossibleTarget;
}

const declaration: OpDeclaration<Rows> = {
  name: "ctcLoss",
  inputs: ["logits"],
  shape: ([logits]) => [logits!.shape[1]!],
  forward({ memory }, [logits], y, { states, lengths, impossible }) {
    const [, rows, classes] = logits!.shape as [number, number, number];
    const values = memory.views[y.dtype];
    const from = logits!.pointer / values.BYTES_PER_ELEMENT;
    const to = y.pointer / values.BYTES_PER_ELEMENT;
    for (const [row, own] of states.entries()) {
      const start = from + row * classes;
      const frames = framesOf(values, start, rows * classes, lengths[row]!, classes);
      const loss = latticeLoss(frames, own);
      const isPossible = loss !== Number.POSITIVE_INFINITY;
      if (!isPossible && impossible === "throw") refuse(row, own, lengths[row]!);
      values[to + row] = isPossible || impossible === "infinity" ? loss : 0;
    }
  },
  residuals: { inputs: [0], output: false },
  vjp: [
    (g, { inputs: [logits], attributes }) =>
      apply(gradientDeclaration as OpDeclaration, [g, logits!], attributes),
  ],
  jvp([dx], { inputs: [logits], attributes }) {
    const slopes = apply(gradientDeclaration as OpDeclaration, [1, logits!], attributes);
    return slopes.mul(dx!).sum([0, 2]);
  },
  samples: [],
};

/** A row's gradient by its logits is its loss's, times its cotangent `g`, `[B]` or one for all. */
const gradientDeclaration: OpDeclaration<Rows> = {
  name: "ctcLossVjp",
  inputs: ["g", "logits"],
  shape: ([, logits]) => logits!.shape,
  forward({ memory }, [g, logits], y, { states, lengths }) {
    const [, rows, classes] = logits!.shape as [number, number, number];
    const values = memory.views[y.dtype];
    const elements = ({ pointer }: { readonly pointer: number }) =>
      pointer / values.BYTES_PER_ELEMENT;
    const [from, to] = [elements(logits!), elements(y)];
    values.fill(0, to, to + y.size);
    const stride = rows * classes;
    for (const [row, own] of states.entries()) {
      const frames = framesOf(values, from + row * classes, stride, lengths[row]!, classes);
      const weight = values[elements(g!) + (g!.rank === 0 ? 0 : row)]!;
      latticeGradient(frames, own, weight, values, to + row * classes, stride);
    }
  },
  residuals: { inputs: [1], output: false },
  vjp: [
    (h, { inputs: [, logits], attributes }) =>
      apply(gradientDeclaration as OpDeclaration, [1, logits!], attributes)
        .mul(h)
        .sum([0, 2]),
    refuseSecond,
  ],
  jvp([dg, dx], { inputs: [, logits], attributes }) {
    if (dx !== null) return refuseSecond();
    return apply(gradientDeclaration as OpDeclaration, [dg!, logits!], attributes);
  },
  samples: [],
};

function refuseSecond(): never {
  throw new Error(
    "ctcLoss: its gradient has no derivative by the logits; for second derivatives write the recursion over the steps in plain ops",
  );
}

function refuse(row: number, states: Int32Array, steps: number): never {
  const fewest = fewestSteps(states);
  const why =
    fewest > steps
      ? `needs at least ${fewest} steps, one for each label and one between equal labels, and the row has ${steps}`
      : "has probability 0, because logits are -Infinity";
  throw new RangeError(
    `ctcLoss: target ${row} ${why}; leave it out, or take impossible: "zero" or "infinity"`,
  );
}

const where = "ctcLoss";

/** The rows of a batch; throws a sentence for what does not fit. */
function checkedRows(logits: Tensor, targets: CtcTargets, options: CtcOptions): Rows {
  const { blank = 0, impossible = "throw" } = options;
  if (!(logits instanceof Tensor) || logits.rank !== 3 || logits.dtype === "int32") {
    const got = logits instanceof Tensor ? describeType(logits) : shown(logits);
    throw new TypeError(
      `${where}: logits must be a tensor of floats [T, B, K] of T steps, B rows and K classes, got ${got}`,
    );
  }
  const [steps, batch, classes] = logits.shape as unknown as [number, number, number];
  if (!["throw", "zero", "infinity"].includes(impossible)) {
    throw new TypeError(
      `${where}: impossible must be "throw", "zero" or "infinity", got ${shown(impossible)}`,
    );
  }
  checkWhole(blank, "blank", where, 0, classes - 1);
  if (!Array.isArray(targets) || targets.length !== batch) {
    const got = Array.isArray(targets) ? `${targets.length} lists` : shown(targets);
    throw new RangeError(
      `${where}: targets must be ${batch} lists of labels, one for each row, got ${got}`,
    );
  }
  for (const [row, target] of targets.entries()) checkTarget(target, row, blank, classes);
  return {
    states: targets.map((target: ArrayLike<number>) => withBlanks(target, blank)),
    lengths: checkedLengths(options.lengths, batch, steps),
    impossible,
  };
}

function checkTarget(target: ArrayLike<number>, row: number, blank: number, classes: number): void {
  if (typeof target !== "object" || target === null || target.length === undefined) {
    throw new TypeError(
      `${where}: target ${row} must be a list of labels, got ${shown(target)}; it may be empty`,
    );
  }
  for (let i = 0; i < target.length; i++) {
    checkWhole(target[i]!, `label ${i} of target ${row}`, where, 0, classes - 1);
    if (target[i] !== blank) continue;
    throw new RangeError(
      `${where}: label ${i} of target ${row} is the blank ${blank}; leave blanks out of targets, or name another class as blank`,
    );
  }
}

function checkedLengths(given: CtcOptions["lengths"], batch: number, steps: number): number[] {
  if (given === undefined) return new Array<number>(batch).fill(steps);
  const lengths = Array.from(given instanceof Tensor ? given.toTypedArray() : given);
  if (lengths.length !== batch) {
    throw new RangeError(
      `${where}: lengths must be ${batch} numbers, one for each row, got ${lengths.length}`,
    );
  }
  for (const [row, length] of lengths.entries()) {
    checkWhole(length, `length ${row}`, where, 0, steps);
  }
  return lengths;
}

/**
 * Connectionist temporal classification: `-log p(target)`, summed over all alignments of a target
 * with the steps (Graves, Fernandez, Gomez & Schmidhuber 2006).
 *
 * At each step a network names a label or the blank. Without repeats, and then without blanks, the
 * names spell the target. Computed with logarithms in float64, whatever the dtype; nothing reads
 * steps behind the end of a row, and their gradient is 0. Not compiled: in a compiled function it
 * runs as it is. A second derivative by the logits is refused.
 *
 * `"mean"` is over the rows; PyTorch's divides each loss by the length of its target first.
 *
 * @param logits unnormalised scores `[T, B, K]`
 * @param targets B lists of labels from 0 to K - 1 without the blank; they may be empty, of which
 *   the loss is that of blanks alone
 * @returns a scalar, or losses `[B]` with `reduction: "none"`
 * @throws when shapes, lengths or labels do not fit, and for a target that no alignment reaches,
 *   unless `impossible` says what its loss is
 *
 * @example
 * ```ts
 * import { zeros } from "@chronograd/autodiff";
 * import { ctcLoss } from "@chronograd/nn";
 *
 * // Two steps, three classes. The label 1 is spelt by 0 1, 1 0 and 1 1: 3 of 9 paths.
 * const loss = ctcLoss(zeros([2, 1, 3]), [[1]]);
 * Math.exp(-loss.item()).toFixed(4); // => "0.3333"
 * // A repeated label needs a blank between.
 * ctcLoss(zeros([2, 1, 3]), [[1, 1]], { impossible: "infinity" }).item(); // => Infinity
 * ```
 */
export function ctcLoss(logits: Tensor, targets: CtcTargets, options: CtcOptions = {}): Tensor {
  checkOptions(where, options, ["lengths", "blank", "impossible", "reduction"]);
  refuseTracing("ctcLoss reads its targets and lengths as numbers");
  const rows = checkedRows(logits, targets, options);
  return reduce(
    apply(declaration as OpDeclaration, [logits], rows),
    options.reduction ?? "mean",
    where,
  );
}
