import { scope, type Tensor, tree, zeros } from "@chronograd/autodiff";
import {
  CheckSchedule,
  type ForwardRun,
  PurityCheck,
  RecordedFunction,
} from "@chronograd/autodiff/internal";
import type { Cell } from "../cell.ts";
import { type ChunkCache, cached } from "./cache.ts";
import {
  type ChunkGradient,
  type ChunkInputs,
  type ChunkSettings,
  type ChunkValue,
  runChunk,
} from "./chunk.ts";
import { NotLoopable } from "./notLoopable.ts";

/** A run may wait for its pullback: a plan that gave way is gone when the last of them is. */
const plans: ChunkCache = new WeakMap();

/** The plan of a chunk: made now, or kept with the cell since a chunk that looked alike. */
export function planOf<Params, State, X, Y>(
  cell: Cell<Params, State, X, Y>,
  inputs: ChunkInputs<Params, State>,
  settings: ChunkSettings,
): readonly [plan: ChunkPlan<Params, State, Y>, isNew: boolean] {
  const { memory } = tree.leaves(inputs)[0]!.backend;
  let isNew = false;
  const make = () => {
    isNew = true;
    const before = memory.bytesInUse;
    const made = scope(
      () =>
        new ChunkPlan<Params, State, Y>(cell as Cell<Params, State, never, Y>, inputs, settings),
    );
    made.bytes = memory.bytesInUse - before;
    return made;
  };
  const { length, reverse, by } = settings;
  return [cached(plans, cell, inputs, [length, reverse, by], make), isNew];
}

/** A chunk of steps, and its pullback, as plans. */
export class ChunkPlan<Params, State, Y> {
  readonly #recorded: RecordedFunction<
    ChunkInputs<Params, State>,
    ChunkValue<State, Y>,
    ChunkGradient
  >;
  readonly #purity: PurityCheck<ChunkInputs<Params, State>>;
  readonly #cell: object;
  readonly #settings: ChunkSettings;
  readonly #checks = new CheckSchedule();
  /** Kernel memory, in bytes. */
  bytes = 0;
  /** Milliseconds of the latest run. */
  #run = 0;

  /** @throws when the steps cannot be planned */
  constructor(
    cell: Cell<Params, State, never, Y>,
    inputs: ChunkInputs<Params, State>,
    settings: ChunkSettings,
  ) {
    const one = { ...settings, length: 1, by: [] };
    const step = (given: ChunkInputs<Params, State>) => runChunk(cell, given, one).value;
    const { outputs, state } = step(firstStep(inputs, settings));
    const cotangents: Record<string, Tensor> = {};
    for (const [path, { shape, dtype, backend }] of tree.leavesWithPath({ outputs, state })) {
      if (dtype === "int32") continue;
      const whole = path.startsWith("outputs") ? [settings.length, ...shape.slice(1)] : shape;
      cotangents[path] = zeros(whole, { dtype, backend });
    }
    const purity = PurityCheck.of(step, firstStep(inputs, settings));
    const chunk = (given: ChunkInputs<Params, State>) => runChunk(cell, given, settings);
    const planned =
      typeof purity === "string"
        ? purity
        : RecordedFunction.plan(chunk, inputs, settings.by.length === 0 ? [] : [cotangents]);
    if (typeof purity === "string" || typeof planned === "string") {
      if (typeof purity !== "string") purity.end();
      const reason = String(planned);
      throw new NotLoopable(
        `unroll: compile takes steps that can be planned, and this model's cannot, because ${reason}; leave out the option${/random/.test(reason) ? ", or draw random numbers as noise of the cell" : ""}`,
      );
    }
    this.#cell = cell;
    this.#recorded = planned;
    this.#purity = purity;
    this.#settings = settings;
  }

  /** Now and then, throws when a step read something that has changed since it was recorded. */
  check(inputs: ChunkInputs<Params, State>): void {
    if (!this.#checks.isDue()) return;
    const start = performance.now();
    const difference = this.#purity.differenceNow(firstStep(inputs, this.#settings));
    this.#checks.took(performance.now() - start, this.#run);
    if (difference === undefined) return;
    // What was recorded is worth nothing any more: the next call records anew.
    plans.delete(this.#cell);
    throw new Error(
      `unroll: the model is not what compile: true recorded, since it takes something from outside that has changed: ${difference}; give it as part of the parameters, the inputs or the context, or leave compile out`,
    );
  }

  accepts(inputs: ChunkInputs<Params, State>): boolean {
    return this.#recorded.accepts(inputs);
  }

  forward(inputs: ChunkInputs<Params, State>): ForwardRun<unknown> {
    const start = performance.now();
    const run = this.#recorded.forward(inputs);
    this.#run = performance.now() - start;
    return run;
  }

  backward(run: ForwardRun<unknown>, cotangents: unknown): unknown {
    return this.#recorded.backward(run, cotangents);
  }

  explain(): string {
    return this.#recorded.explain();
  }
}

/** The inputs of the step that runs first. */
function firstStep<Params, State>(
  inputs: ChunkInputs<Params, State>,
  { length, reverse }: ChunkSettings,
): ChunkInputs<Params, State> {
  const at = reverse ? length - 1 : 0;
  const step = (x: Tensor) => x.slice([[at, at + 1]]);
  const { xs, reset, mask, first, noise, ...shared } = inputs;
  return {
    ...shared,
    ...(tree.map({ xs, ...(reset && { reset }), ...(mask && { mask, first }) }, step) as {
      xs: unknown;
    }),
    ...(noise && { noise: noise.slice(0, 1) }),
  };
}
