import { describe } from "./ops/declare.ts";
import { backward, type Seed } from "./passes/backward.ts";
import {
  type FindNonFiniteOptions,
  findNonFinite,
  type NonFinite,
} from "./passes/findNonFinite.ts";
import { print } from "./passes/print.ts";
import { stats, type TapeStats } from "./passes/stats.ts";
import { constantId } from "./tape/entry.ts";
import { type Mark, Recording } from "./tape/recording.ts";
import { areApart } from "./tensor/backend.ts";
import { checkAlive, isLike } from "./tensor/checks.ts";
import { ones, zeros } from "./tensor/create.ts";
import { checkOptions } from "./tensor/options.ts";
import { scope } from "./tensor/scope.ts";
import { format } from "./tensor/shape.ts";
import { Tensor } from "./tensor/tensor.ts";
import { describeTensor, describeType } from "./tensor/text.ts";
import { checkTree, leavesWithPath, type MapTree, map } from "./tensor/tree.ts";

/** How `Tape.gradient` sweeps. */
export interface GradientOptions {
  /** Treats everything recorded before this mark as constant; watched leaves stay variable. */
  readonly since?: Mark;
  /** Records the sweep on the same tape, so that its result can be differentiated again. */
  readonly record?: boolean;
  /**
   * The cotangent to start from, of the target's shape; needed where the target is not a scalar.
   * For a list of targets, a list.
   */
  readonly cotangent?: Tensor | readonly Tensor[];
}

/**
 * A reverse-mode tape: ops on watched values append entries, and passes run over them.
 *
 * The entries stand in time order. `mark`, `since` and `forget` cut them: that is all that
 * truncated back-propagation through time needs. A tape ends with the scope it was made in, or with
 * the garbage collector.
 *
 * @example
 * ```ts
 * import { Tape, tensor } from "@chronograd/autodiff";
 *
 * const tape = new Tape();
 * const w = tape.watch(tensor([1, 2, 3]));
 * const loss = w.square().sum();
 * tape.gradient(loss, w).toArray(); // => [2, 4, 6]
 * ```
 */
export class Tape extends Recording {
  /**
   * The gradient of a scalar (or of the sum of several) by every tensor of a tree.
   *
   * @param target scalars recorded on this tape; with `cotangent`, tensors of any shape
   * @param tree what `watch` returned, or any values recorded on this tape
   * @returns a tree of the same structure; zeros where the target does not depend on a tensor,
   *   and for int32 tensors
   * @throws when a target is not a scalar, a tensor of the tree is not on this tape, what a rule
   *   needs was changed or forgotten, or the mark is another tape's
   *
   * @example
   * ```ts
   * import { Tape, tensor } from "@chronograd/autodiff";
   *
   * const tape = new Tape();
   * const { w, b } = tape.watch({ w: tensor([1, 2]), b: tensor(3) });
   * const y = w.mul(b);
   * const gradients = tape.gradient(y.sum(), { w, b });
   * [gradients.w.toArray(), gradients.b.item()]; // => [[3, 3], 3]
   *
   * // y is not a scalar: say with which cotangent to start.
   * tape.gradient(y, b, { cotangent: tensor([1, 10]) }).item(); // => 21
   * ```
   */
  gradient<T>(
    target: Tensor | readonly Tensor[],
    tree: T,
    options: GradientOptions = {},
  ): MapTree<T, Tensor> {
    const found = this.gradientIfReached(target, tree, options);
    return map(
      tree,
      (x: Tensor, path) =>
        found.get(path) ?? zeros(x.shape, { dtype: x.dtype, backend: x.backend }),
    );
  }

  /**
   * As `gradient`, but by path, and without those tensors that the target does not depend on: an
   * absent gradient is kept apart from one that is zero.
   *
   * @example
   * ```ts
   * import { Tape, tensor } from "@chronograd/autodiff";
   *
   * const tape = new Tape();
   * const params = tape.watch({ used: tensor(2), idle: tensor(3) });
   * const found = tape.gradientIfReached(params.used.square(), params);
   * [...found.keys()]; // => ["used"]
   * ```
   */
  gradientIfReached(
    target: Tensor | readonly Tensor[],
    tree: unknown,
    options: GradientOptions = {},
  ): Map<string, Tensor> {
    this.checkOpen("gradient");
    checkOptions("gradient", options, ["since", "record", "cotangent"]);
    const { since, record = false, cotangent } = options;
    checkTree(tree, "gradient");
    if (since !== undefined) this.checkMark(since, "gradient");
    const seeds = this.#seeds(
      [target].flat(),
      cotangent === undefined ? undefined : [cotangent].flat(),
    );
    const paths: string[] = [];
    const targets: Tensor[] = [];
    for (const [path, x] of leavesWithPath(tree)) {
      if (x.dtype === "int32") continue;
      paths.push(path);
      targets.push(this.#tracked(x, path));
    }
    const cotangents = backward(this, seeds, targets, {
      record,
      ...(since && { since: since.position }),
    });
    const found = new Map<string, Tensor>();
    cotangents.forEach((value, i) => {
      if (value !== undefined) found.set(paths[i]!, value);
    });
    return found;
  }

  #seeds(targets: readonly Tensor[], cotangents: readonly Tensor[] | undefined): Seed[] {
    if (cotangents !== undefined && cotangents.length !== targets.length) {
      throw new RangeError(
        `gradient: expected one cotangent per target, got ${cotangents.length} for ${targets.length}`,
      );
    }
    const seeds = targets.map((target, i): Seed => {
      if (!(target instanceof Tensor)) {
        throw new TypeError(`gradient: target must be a tensor, got ${describe(target)}`);
      }
      const cotangent = cotangents?.[i];
      if (cotangent === undefined && target.size !== 1) {
        throw new RangeError(
          `gradient: target must be a scalar, got shape ${format(target.shape)}; reduce it (for example with sum()) or pass { cotangent }`,
        );
      }
      if (cotangent !== undefined) checkCotangent(cotangent, target);
      const own = this.own(target) ?? target;
      if (own.tape === this && own.id >= 0 && own.id < this.base) {
        throw new Error(
          `gradient: the target was made by entry ${own.id}, which was forgotten (the tape now starts at entry ${this.base}); sweep before forget`,
        );
      }
      const { shape, dtype, backend } = target;
      return [own, cotangent ?? ones(shape, { dtype, backend })];
    });
    if (seeds.length > 0 && seeds.every(([{ tape }]) => tape !== this)) {
      throw new TypeError(
        `gradient: the target (${describeTensor(targets[0]!)}) was not recorded on this tape; compute it from what this tape's watch(...) returned`,
      );
    }
    return seeds;
  }

  /** True when a value was recorded here or is watched here. @internal */
  tracks(x: Tensor): boolean {
    return this.own(x) !== undefined;
  }

  #tracked(x: Tensor, path: string): Tensor {
    const own = this.own(x);
    if (own !== undefined) return own;
    const name = path === "" ? "the tensor" : `"${path}"`;
    throw new TypeError(
      `gradient: ${name} (${describeTensor(x)}) is not on this tape; pass what tape.watch(...) returned, or a value computed from it`,
    );
  }

  /**
   * The tape as text, one entry a line.
   *
   * @example
   * ```ts
   * import { Tape, tensor } from "@chronograd/autodiff";
   *
   * const tape = new Tape();
   * const x = tape.watch(tensor([1, 2]));
   * x.tanh().mul(tensor([3, 4])).sum();
   * tape.print(); // =>
   * // %0 = tanh($0) float32 [2]
   * // %1 = mul(%0, _) float32 [2]
   * // %2 = sum(%1) float32 []
   * ```
   */
  print(): string {
    return print(this);
  }

  /**
   * What the tape holds: entries, bytes, ops; and, cut at marks, entries and bytes for each segment
   * in between, such as a time step.
   *
   * @throws when a mark belongs to another tape
   *
   * @example
   * ```ts
   * import { Tape, tensor } from "@chronograd/autodiff";
   *
   * const tape = new Tape();
   * const x = tape.watch(tensor(new Float32Array(1000)));
   * x.tanh().square();
   * const { entries, bytes, ops } = tape.stats();
   * [entries, bytes, ops]; // => [2, 12000, { tanh: 1, square: 1 }]
   * const cut = tape.mark();
   * x.exp();
   * tape.stats([cut]).segments.map((segment) => segment.entries); // => [2, 1]
   * ```
   */
  stats(marks: readonly Mark[] = []): TapeStats {
    return stats(this, marks);
  }

  /**
   * The first NaN or infinity on this tape, in time order: which op, time step, part of the model
   * and line of the program (on a tape that traces), and the inputs that it came from. With a
   * target, the backward sweep from there too.
   *
   * @param target scalars recorded on this tape
   * @returns `undefined` when everything is finite
   *
   * @example
   * ```ts
   * import { Tape, tensor } from "@chronograd/autodiff";
   *
   * const tape = new Tape();
   * const x = tape.watch(tensor([4, 0]));
   * const loss = x.sqrt().sum();
   * tape.findNonFinite()?.op; // => undefined
   * tape.findNonFinite(loss)?.message; // =>
   * // backward: the cotangent of its input x holds Infinity at [1]: sqrt [2] -> [2] (entry 0); the watched x is 0 there
   * ```
   */
  findNonFinite(
    target?: Tensor | readonly Tensor[],
    options: FindNonFiniteOptions = {},
  ): NonFinite | undefined {
    this.checkOpen("findNonFinite");
    checkOptions("findNonFinite", options, ["onlyNaN"]);
    if (target === undefined) return findNonFinite(this, [], [], options);
    const seeds = this.#seeds([target].flat(), undefined);
    return scope(() => findNonFinite(this, seeds, this.#leaves(), options));
  }

  /** Every watched leaf, as a target of a sweep. */
  #leaves(): Tensor[] {
    const found = new Map<number, Tensor>();
    for (const { ids, inputs } of this.entries) {
      for (const [i, id] of ids.entries()) {
        if (id < constantId) found.set(id, this.handle(inputs[i]!, id));
      }
    }
    return [...found.values()];
  }
}

/** Throws a sentence unless a cotangent is a tensor like its target. */
function checkCotangent(cotangent: Tensor, target: Tensor): void {
  if (!(cotangent instanceof Tensor)) {
    throw new TypeError(
      `gradient: cotangent must be a tensor, got ${describe(cotangent)}; wrap data with tensor(...)`,
    );
  }
  checkAlive(cotangent, "gradient: cotangent");
  if (!isLike(cotangent, target)) {
    throw new RangeError(
      `gradient: cotangent must be ${describeType(target)} like the target, got ${describeType(cotangent)}`,
    );
  }
  if (areApart(cotangent.backend, target.backend)) {
    throw new TypeError("gradient: cotangent and target must be on one backend");
  }
}
