import { clone, type Tensor, tree, zeros } from "@chronograd/autodiff";
import { bytesOf, kernelsOf } from "@chronograd/autodiff/extend";
import {
  alias,
  giveOwner,
  isUniquelyHeld,
  pairwiseSum,
  Region,
  within,
} from "@chronograd/autodiff/internal";
import type { ChunkGradient, ChunkInputs, Variable } from "./chunk.ts";
import type { Chunk } from "./chunks.ts";
import type { Results } from "./results.ts";
import type { ChunkRun } from "./runner.ts";

const spent = "it was an intermediate value of a sweep back through time";

/** The way back through the chunks of a loop, from the last to the first. */
export class LoopSweep<Params, State, Y> {
  readonly #by: readonly Variable[];
  readonly #inputs: ChunkInputs<Params, State>;
  readonly #results: Results<State, Y>;
  /** The cotangent of all results. */
  readonly #g: Tensor;
  /** The cotangents of the state after the chunk that comes next, by path, and who holds them. */
  #arriving: Record<string, Tensor>;
  #region = new Region();
  /** Gradients so far, by variable and path; what every step shares is added up. */
  readonly #totals = new Map<string, Tensor>();

  constructor(
    by: readonly Variable[],
    inputs: ChunkInputs<Params, State>,
    results: Results<State, Y>,
    g: Tensor,
  ) {
    this.#by = by;
    this.#inputs = inputs;
    this.#results = results;
    this.#g = g;
    this.#arriving = results.cotangentsOfState(g);
  }

  /** Goes back through a chunk; one where nothing ran passes on what arrives. */
  pull(chunk: Chunk, run: ChunkRun<State, Y> | undefined): void {
    if (run === undefined) return;
    const ofOutputs = chunk.kind === "steps" ? this.#results.cotangentsOf(this.#g, chunk) : {};
    const own = new Region();
    let found: [string, Tensor][];
    try {
      const gradient = within(own, () => run.pullback({ ...ofOutputs, ...this.#arriving }));
      found = tree.leavesWithPath<Tensor>(gradient).filter(([, { dtype }]) => dtype !== "int32");
      const next = new Region();
      this.#arriving = {};
      for (const [path, x] of found) {
        if (!isOf("state", path)) continue;
        next.hold(x.block);
        this.#arriving[path] = x;
      }
      this.#region.end(spent);
      this.#region = next;
      for (const [path, x] of found) this.#add(path, x, chunk);
    } finally {
      own.end(spent);
    }
    // One that others read as well must not be added to.
    for (const [path, x] of found) {
      const total = this.#totals.get(path);
      if (total?.block === x.block && !isUniquelyHeld(total)) this.#totals.set(path, clone(total));
    }
  }

  #add(path: string, x: Tensor, chunk: Chunk): void {
    if (isOf("state", path)) return;
    const total = this.#totals.get(path);
    if (isOf("xs", path)) this.#place(total ?? this.#whole(path), x, chunk);
    else if (total === undefined) this.#totals.set(path, giveOwner(alias(x, x.shape)));
    else {
      const { size: n, pointer } = total;
      kernelsOf(total.backend, total).add(1, n, pointer, n, 1, x.pointer, n, 1, pointer);
    }
  }

  /** Zeros for the whole sequence. */
  #whole(path: string): Tensor {
    const [, x] = tree.leavesWithPath({ xs: this.#inputs.xs }).find(([at]) => at === path)!;
    const { shape, dtype, backend } = x;
    const whole = zeros(shape, { dtype, backend });
    this.#totals.set(path, whole);
    return whole;
  }

  #place(whole: Tensor, x: Tensor, { start, length }: Chunk): void {
    const bytes = x.size * bytesOf[x.dtype];
    const to = whole.pointer + (start * bytes) / length;
    whole.backend.memory.views.uint8.copyWithin(to, x.pointer, x.pointer + bytes);
  }

  /** The gradients, when the first chunk was gone through. */
  gradient(): ChunkGradient {
    const all = new Map([...this.#totals, ...Object.entries(this.#arriving)]);
    const variables = Object.fromEntries(this.#by.map((name) => [name, this.#inputs[name]]));
    return tree.map(variables, (x: Tensor, path) => {
      const found = isOf("params", path) ? this.#ofShards(path) : all.get(path);
      if (found === undefined) return zeros(x.shape, { dtype: x.dtype, backend: x.backend });
      return isOf("state", path) ? giveOwner(alias(found, found.shape)) : found;
    }) as ChunkGradient;
  }

  /** The gradient by a parameter, from those of the shards. */
  #ofShards(path: string): Tensor | undefined {
    const rest = path.slice("params".length);
    const shards: Tensor[] = [];
    for (let shard = 0; ; shard++) {
      const total = this.#totals.get(`params.${shard}${rest}`);
      if (total === undefined) break;
      shards.push(total);
    }
    const [first, ...others] = shards;
    return first && pairwiseSum([first, ...others], (a, b) => a.add(b));
  }

  end(): void {
    this.#region.end(spent);
  }
}

function isOf(variable: Variable, path: string): boolean {
  return path === variable || path.startsWith(`${variable}.`);
}
