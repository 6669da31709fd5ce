import { isNone, type OpDeclaration } from "../ops/declare.ts";
import { forward } from "../passes/forward.ts";
import { slotOf } from "../tape/entry.ts";
import { Tape } from "../tape.ts";
import { tensor } from "../tensor/create.ts";
import { type FloatDType, isFloat } from "../tensor/dtype.ts";
import { scope } from "../tensor/scope.ts";
import { format } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { leavesWithPath, type MapTree, map, quote } from "../tensor/tree.ts";
import { scatter } from "./differences.ts";
import { lengthsOf } from "./steps.ts";

/** One tensor of a tree, as a part of a flat vector. */
export interface Part {
  readonly path: string;
  readonly shape: readonly number[];
  /** Position of the first element in the vector. */
  readonly start: number;
  readonly size: number;
}

/**
 * A function of trees as a function of flat float64 vectors, with both of its sides: tape and
 * differences.
 */
export class Flattened<T> {
  readonly f: (inputs: MapTree<T, Tensor>) => unknown;
  readonly inputs: T;
  readonly inputParts: readonly Part[];
  readonly x: Float64Array;
  readonly outputParts: readonly Part[];
  /** Heads the sentences of errors. */
  readonly where: string;

  /** @throws when a float input is of another dtype, or there is no float input or output */
  constructor(
    f: (inputs: MapTree<T, Tensor>) => unknown,
    inputs: T,
    where: string,
    dtype: FloatDType = "float64",
  ) {
    this.f = f;
    this.inputs = inputs;
    this.where = where;
    const leaves = floats(inputs);
    for (const [path, x] of leaves) {
      if (x.dtype === dtype) continue;
      throw new TypeError(
        `${where}: the input at ${quote(path)} is ${x.dtype} ${format(x.shape)}, expected ${dtype}; convert it with cast(x, "${dtype}")`,
      );
    }
    if (leaves.length === 0) {
      throw new TypeError(
        `${where}: the inputs hold no ${dtype} tensor, so there is nothing to check; pass tensors in plain objects and arrays`,
      );
    }
    this.inputParts = parts(leaves);
    this.x = joined(leaves);
    this.outputParts = scope(() => parts(floats(f(inputs as MapTree<T, Tensor>))));
    if (this.outputParts.length === 0) {
      throw new TypeError(
        `${where}: the function returned no float tensor, so there is nothing to check; return tensors, or plain objects and arrays of them`,
      );
    }
  }

  /** Elements of all outputs. */
  get outputs(): number {
    return this.outputParts.reduce((n, { size }) => n + size, 0);
  }

  /** The inputs with other numbers in them. */
  tree(x: Float64Array): MapTree<T, Tensor> {
    const starts = new Map(this.inputParts.map((part) => [part.path, part]));
    return map(this.inputs, (leaf: Tensor, path) => {
      const part = starts.get(path);
      if (part === undefined) return leaf;
      const values = x.subarray(part.start, part.start + part.size);
      return tensor(values, { shape: leaf.shape, dtype: leaf.dtype, backend: leaf.backend });
    }) as MapTree<T, Tensor>;
  }

  /** The outputs at `x`. */
  at(x: Float64Array): Float64Array {
    return scope(() => {
      const found = joined(floats(this.f(this.tree(x))));
      if (found.length === this.outputs) return found;
      throw new RangeError(
        `${this.where}: the outputs have ${this.outputs} elements at the inputs given and ${found.length} at slightly different ones; shapes must not depend on the inputs' values`,
      );
    });
  }

  /** The outputs for the very tensors that were given, wherever they lie in memory. */
  original(): Float64Array {
    return scope(() => joined(floats(this.f(this.inputs as MapTree<T, Tensor>))));
  }

  /** How far each input element may be moved, tensor by tensor. */
  get lengths(): Float64Array {
    const lengths = new Float64Array(this.x.length);
    for (const { start, size } of this.inputParts) {
      lengths.set(lengthsOf(this.x.subarray(start, start + size)), start);
    }
    return lengths;
  }

  /** The outputs as a function of how far the inputs are moved along `v`. */
  along(v: (i: number) => number): (s: number) => Float64Array {
    const { x } = this;
    let middle: Float64Array | undefined;
    return (s) => {
      if (s !== 0) return this.at(x.map((value, i) => value + s * v(i)));
      middle ??= this.at(x);
      return middle;
    };
  }

  /**
   * Runs the function on a tape and hands `body` the pullback: from a cotangent of all outputs to
   * one of all inputs. The tape is there until `body` returns.
   */
  pulled<R>(
    body: (pullback: (u: Float64Array) => Float64Array, run: Run<T>) => R,
    options: { readonly trace?: boolean } = {},
  ): R {
    return scope(() => {
      const tape = new Tape(options);
      const watched = tape.watch(this.inputs) as MapTree<T, Tensor>;
      const outputs = floats(this.f(watched)).map(([, y]) => y);
      const pullback = (u: Float64Array): Float64Array =>
        scope(() => {
          const result = new Float64Array(this.x.length);
          const [targets, cotangents] = this.seeds(tape, outputs, u);
          if (targets.length === 0) return result;
          const found = tape.gradientIfReached(targets, watched, { cotangent: cotangents });
          for (const { path, start } of this.inputParts) {
            const g = found.get(path);
            if (g !== undefined) result.set(g.toTypedArray(), start);
          }
          return result;
        });
      return body(pullback, { tape, watched, outputs });
    });
  }

  /**
   * The derivative of every output along `v`, by forward mode; `undefined` where an op has no jvp
   * rule but a vjp.
   */
  pushed(v: Float64Array): Float64Array | undefined {
    return this.pulled((_pullback, run) => this.pushforward(run)?.(v));
  }

  /**
   * From a tangent of all inputs to one of all outputs; `undefined` where an op has no jvp rule but
   * a vjp.
   */
  pushforward({ tape, watched, outputs }: Run<T>): ((v: Float64Array) => Float64Array) | undefined {
    if ([...tape.entries].some(({ declaration }) => hasReverseOnly(declaration))) return undefined;
    const leaves = new Map(floats(watched));
    const own = outputs.map((y, k) => [y, k] as const).filter(([{ tape: at }]) => at === tape);
    const targets = own.map(([y]) => y);
    return (v) =>
      scope(() => {
        const tangents = new Map<number, Tensor>();
        for (const { path, start, size, shape } of this.inputParts) {
          const x = leaves.get(path)!;
          const data = v.subarray(start, start + size);
          tangents.set(slotOf(x.id), tensor(data, { shape, dtype: x.dtype, backend: x.backend }));
        }
        const result = new Float64Array(this.outputs);
        const found = forward(tape, tangents, targets);
        for (const [i, [, k]] of own.entries()) {
          const dy = found[i];
          if (dy !== undefined) result.set(dy.toTypedArray(), this.outputParts[k]!.start);
        }
        return result;
      });
  }

  /** Tracked outputs with their shares of a cotangent of all. */
  seeds(tape: Tape, outputs: readonly Tensor[], u: Float64Array): [Tensor[], Tensor[]] {
    const targets: Tensor[] = [];
    const cotangents: Tensor[] = [];
    for (const [k, y] of outputs.entries()) {
      if (!tape.tracks(y)) continue;
      const { start, size, shape } = this.outputParts[k]!;
      targets.push(y);
      const data = u.subarray(start, start + size);
      cotangents.push(tensor(data, { shape, dtype: y.dtype, backend: y.backend }));
    }
    return [targets, cotangents];
  }
}

/** A run of a function on a tape. */
export interface Run<T> {
  readonly tape: Tape;
  readonly watched: MapTree<T, Tensor>;
  readonly outputs: readonly Tensor[];
}

/** Random numbers of [-1, 1], none of them 0. */
export function randomVector(n: number, seed: number): Float64Array {
  const random = scatter(seed);
  return Float64Array.from({ length: n }, () => random() || 0.5);
}

function floats(tree: unknown): [string, Tensor][] {
  return leavesWithPath(tree).filter(([, x]) => isFloat(x.dtype));
}

function parts(list: readonly (readonly [string, Tensor])[]): Part[] {
  let start = 0;
  return list.map(([path, { shape, size }]) => {
    const part = { path, shape, start, size };
    start += size;
    return part;
  });
}

function joined(list: readonly (readonly [string, Tensor])[]): Float64Array {
  const result = new Float64Array(list.reduce((n, [, { size }]) => n + size, 0));
  let start = 0;
  for (const [, x] of list) {
    result.set(x.toTypedArray(), start);
    start += x.size;
  }
  return result;
}

/** The part that a position of the flat vector lies in. */
export function partAt(list: readonly Part[], position: number): Part {
  return list.findLast(({ start, size }) => size > 0 && start <= position)!;
}

function hasReverseOnly({ vjp, jvp }: OpDeclaration): boolean {
  return isNone(jvp) && !isNone(vjp);
}
