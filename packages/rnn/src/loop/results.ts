import { concat, Tensor, tree } from "@chronograd/autodiff";
import { bytesOf } from "@chronograd/autodiff/extend";
import { alias, allocate, giveOwner } from "@chronograd/autodiff/internal";
import type { Unrolled } from "../unroll.ts";
import type { ChunkValue } from "./chunk.ts";
import type { Chunk } from "./division.ts";

/** A tensor of the results. */
interface Part {
  readonly path: string;
  /** Of the whole sequence, where it is an output. */
  readonly shape: readonly number[];
  readonly isOutput: boolean;
  /** Where it begins in the vector; of whole numbers, the tensor itself. */
  readonly at: number | Tensor;
}

/**
 * The outputs of all steps and the last state in one vector, because an entry of a tape has one
 * output. Whole numbers, to which nothing flows back, lie beside it.
 */
export class Results<State, Y> {
  /** Every float. */
  readonly vector: Tensor;
  readonly #like: ChunkValue<State, Y>;
  readonly #parts: readonly Part[];

  /** @param like what a chunk gave: outputs `[length, ...]`, and the state */
  constructor(steps: number, like: ChunkValue<State, Y>) {
    const leaves = tree.leavesWithPath({ outputs: like.outputs, state: like.state });
    const [, first] = leaves.find(([, { dtype }]) => dtype !== "int32") ?? leaves[0]!;
    let size = 0;
    this.#parts = leaves.map(([path, { shape: own, dtype, backend }]) => {
      const isOutput = path === "outputs" || path.startsWith("outputs.");
      const shape = isOutput ? [steps, ...own.slice(1)] : own;
      if (dtype === "int32") {
        const at = giveOwner(allocate(backend, shape, dtype));
        return { path, shape, isOutput, at };
      }
      if (dtype !== first.dtype) {
        throw new TypeError(
          `unroll: with compile or memory, outputs and states must be floats of one dtype, got ${first.dtype} and ${dtype}; cast them in the step`,
        );
      }
      const part = { path, shape, isOutput, at: size };
      size += shape.reduce((a, b) => a * b, 1);
      return part;
    });
    this.#like = tree.map(
      { outputs: like.outputs, state: like.state },
      (x: Tensor) => x.dtype,
    ) as never;
    this.vector = giveOwner(
      allocate(first.backend, [size], first.dtype === "int32" ? "float32" : first.dtype),
    );
  }

  /** Writes the outputs of a chunk, zeros where there are none. */
  writeOutputs(chunk: Chunk, outputs: unknown): void {
    this.#write({ outputs }, chunk);
  }

  /** Writes the state after the last step. */
  writeState(state: unknown): void {
    this.#write({ state });
  }

  #write(values: { outputs?: unknown; state?: unknown }, chunk?: Chunk): void {
    const found = new Map(tree.leavesWithPath(values));
    for (const part of this.#parts) {
      if (part.isOutput !== (chunk !== undefined)) continue;
      const into = within(this.vector, part, chunk);
      const bytes = into.size * bytesOf[into.dtype];
      const { uint8 } = into.backend.memory.views;
      const y = found.get(part.path);
      if (y === undefined) uint8.fill(0, into.pointer, into.pointer + bytes);
      else uint8.copyWithin(into.pointer, y.pointer, y.pointer + bytes);
    }
  }

  /** The cotangents of a chunk's outputs in that of the vector, by path. */
  cotangentsOf(g: Tensor, chunk: Chunk): Record<string, Tensor> {
    return this.#cotangents(g, chunk);
  }

  /** The cotangents of the last state in that of the vector, by path. */
  cotangentsOfState(g: Tensor): Record<string, Tensor> {
    return this.#cotangents(g);
  }

  #cotangents(g: Tensor, chunk?: Chunk): Record<string, Tensor> {
    const found: Record<string, Tensor> = {};
    for (const part of this.#parts) {
      if (part.at instanceof Tensor || part.isOutput !== (chunk !== undefined)) continue;
      found[part.path] = within(g, part, chunk);
    }
    return found;
  }

  /** The results as trees, from the vector as a tape tracks it. */
  unpack(vector: Tensor): Unrolled<State, Y> {
    let next = 0;
    return tree.map(
      this.#like,
      () => {
        const { at, shape } = this.#parts[next++]!;
        if (at instanceof Tensor) return at;
        const size = shape.reduce((a, b) => a * b, 1);
        return vector.slice([[at, at + size]]).reshape(shape);
      },
      (value): value is string => typeof value === "string",
    ) as unknown as Unrolled<State, Y>;
  }

  /** The vector of other results of the same kind. */
  pack({ outputs, state }: Unrolled<State, Y>): Tensor {
    const found = new Map(tree.leavesWithPath<Tensor>({ outputs, state }));
    const own = this.#parts.filter(({ at }) => typeof at === "number");
    return concat(own.map(({ path }) => found.get(path)!.reshape([-1])));
  }
}

/** A part of the vector: all of it, or the steps of a chunk. */
function within(vector: Tensor, { at, shape }: Part, chunk?: Chunk): Tensor {
  const [from, start] = at instanceof Tensor ? [at, 0] : [vector, at];
  if (chunk === undefined) return alias(from, shape, start);
  const row = shape.slice(1).reduce((a, b) => a * b, 1);
  return alias(from, [chunk.length, ...shape.slice(1)], start + chunk.start * row);
}
