import { concat, Tensor, tree } from "@chronograd/autodiff";
import { bytesOf } from "@chronograd/autodiff/extend";
import { alias, allocate, describeType, giveOwner, isLike } from "@chronograd/autodiff/internal";
import type { Unrolled } from "../unroll.ts";
import type { ChunkValue } from "./chunk.ts";
import type { Chunk } from "./chunks.ts";
import { NotLoopable } from "./notLoopable.ts";

/** A tensor of the results. */
class Part {
  readonly path: string;
  /** Of the whole sequence, where it is an output. */
  readonly shape: readonly number[];
  /** Where it begins in the vector; of whole numbers, the tensor itself. */
  readonly at: number | Tensor;

  constructor(path: string, shape: readonly number[], at: number | Tensor) {
    this.path = path;
    this.shape = shape;
    this.at = at;
  }
}

const isPart = (value: unknown): value is Part => value instanceof Part;

/**
 * The outputs of all steps and the last state in one vector, because an entry of a tape has one
 * output. Whole numbers, to which nothing flows back, lie beside it.
 */
export class Results<State, Y> {
  /** Every float. */
  readonly vector: Tensor;
  /** Parts where the tensors of the results are. */
  readonly #parts: { readonly outputs: unknown; readonly state: unknown };
  readonly #outputs: readonly Part[];
  readonly #state: readonly Part[];

  /** @param like what a chunk gave: outputs `[length, ...]`, and the state */
  constructor(steps: number, { outputs, state }: ChunkValue<State, Y>) {
    const leaves = tree.leaves({ outputs, state });
    const { dtype, backend } = leaves.find((x) => x.dtype !== "int32") ?? leaves[0]!;
    let size = 0;
    const partOf = (x: Tensor, path: string, shape: readonly number[]) => {
      if (x.dtype === "int32")
        return new Part(path, shape, giveOwner(allocate(x.backend, shape, x.dtype)));
      if (x.dtype !== dtype) {
        throw new NotLoopable(
          `unroll: with compile or memory, outputs and states must be floats of one dtype, got ${dtype} and ${x.dtype}; cast them in the step`,
        );
      }
      const at = size;
      size += elements(shape);
      return new Part(path, shape, at);
    };
    this.#parts = {
      outputs: tree.map(outputs, (x: Tensor, path) =>
        partOf(x, path, [steps, ...x.shape.slice(1)]),
      ),
      state: tree.map(state, (x: Tensor, path) => partOf(x, path, x.shape)),
    };
    this.#outputs = partsIn(this.#parts.outputs);
    this.#state = partsIn(this.#parts.state);
    this.vector = giveOwner(allocate(backend, [size], dtype === "int32" ? "float32" : dtype));
  }

  /**
   * Writes the outputs of a chunk, zeros where there are none. Throws a sentence unless they look
   * like those of the first chunk.
   *
   * @param step the first step of the chunk, for errors
   */
  writeOutputs(chunk: Chunk, outputs: unknown, step: number): void {
    const found = new Map<string, Tensor>(tree.leavesWithPath(outputs));
    for (const part of this.#outputs) {
      const into = within(this.vector, part, chunk);
      const y = found.get(part.path);
      if (outputs !== undefined && !(y && isLike(y, into))) {
        const typeOf = ({ dtype, shape }: Tensor) => describeType({ dtype, shape: shape.slice(1) });
        throw new NotLoopable(
          `unroll: with compile or memory, outputs have one shape and dtype at all steps, and step ${step} gives ${y ? typeOf(y) : "nothing"}${part.path && ` at "${part.path}"`} where others give ${typeOf(into)}; pad them to one shape`,
        );
      }
      write(into, y);
    }
  }

  /** Writes the state after the last step. */
  writeState(state: unknown): void {
    const found = new Map<string, Tensor>(tree.leavesWithPath(state));
    for (const part of this.#state) write(within(this.vector, part), found.get(part.path));
  }

  /** The cotangents of a chunk's outputs in that of the vector, by path. */
  cotangentsOf(g: Tensor, chunk: Chunk): Record<string, Tensor> {
    return cotangents("outputs", this.#outputs, g, chunk);
  }

  /** The cotangents of the last state in that of the vector, by path. */
  cotangentsOfState(g: Tensor): Record<string, Tensor> {
    return cotangents("state", this.#state, g);
  }

  /** The results as trees, from the vector as a tape tracks it. */
  unpack(vector: Tensor): Unrolled<State, Y> {
    const tensorOf = ({ at, shape }: Part) =>
      at instanceof Tensor ? at : vector.slice([[at, at + elements(shape)]]).reshape(shape);
    return tree.map<unknown, Tensor, Part>(this.#parts, tensorOf, isPart) as Unrolled<State, Y>;
  }

  /** The vector of other results of the same kind. */
  pack({ outputs, state }: Unrolled<State, Y>): Tensor {
    const floats = (parts: readonly Part[], values: unknown) => {
      const found = new Map<string, Tensor>(tree.leavesWithPath(values));
      return parts
        .filter(({ at }) => typeof at === "number")
        .map(({ path }) => found.get(path)!.reshape([-1]));
    };
    return concat([...floats(this.#outputs, outputs), ...floats(this.#state, state)]);
  }
}

function partsIn(values: unknown): readonly Part[] {
  return tree.leavesWithPath<Part>(values, isPart).map(([, part]) => part);
}

function elements(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

/** Copies the elements of `y`, or zeros without it. */
function write(into: Tensor, y: Tensor | undefined): void {
  const end = into.size * bytesOf[into.dtype];
  const { uint8 } = into.backend.memory.views;
  if (y === undefined) uint8.fill(0, into.pointer, into.pointer + end);
  else uint8.copyWithin(into.pointer, y.pointer, y.pointer + end);
}

function cotangents(
  name: "outputs" | "state",
  parts: readonly Part[],
  g: Tensor,
  chunk?: Chunk,
): Record<string, Tensor> {
  const found: Record<string, Tensor> = {};
  for (const part of parts) {
    if (part.at instanceof Tensor) continue;
    found[part.path === "" ? name : `${name}.${part.path}`] = within(g, part, chunk);
  }
  return found;
}

/** A part of the vector: all of it, or the steps of a chunk. */
function within(vector: Tensor, { at, shape }: Part, chunk?: Chunk): Tensor {
  const [from, start] = at instanceof Tensor ? [at, 0] : [vector, at];
  if (chunk === undefined) return alias(from, shape, start);
  const row = elements(shape.slice(1));
  return alias(from, [chunk.length, ...shape.slice(1)], start + chunk.start * row);
}
