import { type MapTree, scope, Tape, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { embedding, init, linear, type Rng, rng } from "@chronograd/nn";
import {
  defineCell,
  gru,
  initialParams,
  initialState,
  learnedState,
  lstm,
  sequential,
  stacked,
  type UnrollOptions,
  unroll,
  variationalDropout,
  weightDrop,
  zoneout,
} from "@chronograd/rnn";
import { cellTable, type SomeCell, symbols } from "@chronograd/rnn/testing";
import { type Numbers, numbers } from "../tally.ts";
import { between, oneOf } from "../truncation/problem.ts";

/** A model, how an input of it is drawn, and what all steps share. */
interface Drawing {
  readonly model: SomeCell;
  input(random: Rng, batch: number): unknown;
  context?(random: Rng, batch: number): unknown;
}

const sizes = { input: 2, hidden: 3 };

/**
 * Reads a context and two inputs, gives two outputs. Two parts of the context have one gradient.
 */
const told = defineCell({
  params: () => ({ u: init.normal(1, 3) }),
  state: () => ({ h: init.zeros(3), count: init.zeros({ dtype: "int32" }) }),
  step: (
    { u },
    {
      x,
      context,
    }: { x: { a: Tensor; b: Tensor }; context: Record<"row" | "other" | "scale", Tensor> },
    { h, count },
  ) => {
    const next = h.mul(u).sin().add(x.a).add(context.row).add(context.other);
    const more = count.cast("float64").add(1).cast("int32");
    return [
      [next.mul(context.scale), { sum: next.mul(x.b).sum(-1), more }],
      { h: next, count: more },
    ];
  },
})({ input: 1, hidden: 1 });

export function normal(random: Rng, ...shape: number[]): Tensor {
  const length = shape.reduce((n, each) => n * each, 1);
  return tensor(
    Float64Array.from({ length }, () => random.normal()),
    { shape },
  );
}

let made: readonly (readonly Drawing[])[] | undefined;

/** Cells of every kind, one half of the time; else what draws noise, learns a state or is told. */
function drawing(random: Rng): Drawing {
  made ??= scope(listed);
  return oneOf(random, oneOf(random, made));
}

function listed(): readonly (readonly Drawing[])[] {
  const vectors = (random: Rng, batch: number) => normal(random, batch, 2);
  const upper = { input: 3, hidden: 3 };
  const models: readonly unknown[] = [
    variationalDropout(gru(sizes), { rate: 0.5 }),
    zoneout(lstm(sizes), { rate: 0.25 }),
    stacked([weightDrop(gru(sizes), { rate: 0.5 }), gru(upper)], { dropout: 0.5 }),
    learnedState(gru(sizes)),
  ];
  const symbolic = sequential({
    symbols: embedding({ input: 4, output: 2 }),
    cell: lstm(sizes),
    head: linear({ input: 3, output: 2 }),
  });
  const builtIn = cellTable()
    .filter(({ isVector, hasKinks }) => isVector && !hasKinks)
    .map((row): Drawing => ({ model: row.make(), input: row.input }));
  const others: readonly Drawing[] = [
    ...models.map((model) => ({ model: model as SomeCell, input: vectors })),
    { model: symbolic as unknown as SomeCell, input: symbols(4) },
    {
      model: told as unknown as SomeCell,
      input: (random, batch) => ({ a: normal(random, batch, 3), b: normal(random, batch, 3) }),
      context: (random, batch) => ({
        row: normal(random, batch, 3),
        other: normal(random, batch, 3),
        scale: normal(random),
      }),
    },
  ];
  return [builtIn, others];
}

/** What gradients may be taken by. */
export interface Given {
  readonly params: unknown;
  readonly inputs: unknown;
  readonly state?: unknown;
  readonly context?: unknown;
}

/** How a loop runs. */
export type How = Pick<UnrollOptions<never>, "compile" | "memory">;

/** A loop, with everything that changes how it runs. All float64. */
export interface Drawn {
  readonly random: Rng;
  readonly seed: number;
  readonly model: SomeCell;
  readonly given: Given;
  readonly by: readonly (keyof Given)[];
  readonly options: UnrollOptions<never>;
  readonly T: number;
  readonly B: number;
}

/** Draws a loop of at most `most` steps by the seed. */
export function drawn(seed: number, most = 24): Drawn {
  const random = rng(seed, "loops");
  const { model, input, context } = drawing(random);
  const [T, B] = [between(random, 1, most), between(random, 1, 3)];
  const is = (chance: number) => random.uniform() < chance;
  const marks = (chance: number) =>
    tensor(
      Int32Array.from({ length: T * B }, () => Number(is(chance))),
      { shape: [T, B] },
    );
  const reverse = is(0.3);
  const burnIn = !reverse && T > 1 && is(0.3) ? between(random, 1, T - 1) : 0;
  const masked = oneOf(random, ["no", "no", "mask", "lengths"] as const);
  const mask = masked === "mask" ? marks(0.7) : undefined;
  const lengths =
    masked === "lengths" ? Array.from({ length: B }, () => between(random, 0, T)) : undefined;
  const options: UnrollOptions<never> = {
    reverse,
    burnIn,
    ...(mask && { mask }),
    ...(lengths && { lengths }),
    ...(is(0.4) && { resets: marks(0.25) }),
  };
  const present = mask?.toTypedArray();
  const has = (t: number, row: number) =>
    lengths ? t < lengths[row]! : present?.[t * B + row] !== 0;
  const steps = Array.from({ length: T }, (_, t) =>
    tree.map(input(random, B), (x: Tensor) => spoiled(x, (row) => has(t, row))),
  );
  const initial = () =>
    tree.map(initialState({ state: model.state }, B, { dtype: "float64" }), (x: Tensor) =>
      x.dtype === "int32" ? x : x.add(normal(random, ...x.shape)),
    );
  const params = initialParams(model, random.split("params"), { dtype: "float64" });
  const given: Given = {
    params: tree.map(params, (x: Tensor) => x.add(normal(random, ...x.shape).mul(0.2))),
    inputs: is(0.5) ? steps : joined(steps),
    ...(is(0.5) && { state: initial() }),
    ...(context && { context: context(random, B) }),
  };
  const names = Object.keys(given) as (keyof Given)[];
  const by = is(0.6) ? names : names.filter(() => is(0.6));
  return { random, seed, model, given, by, options, T, B };
}

/** What no step may read, in the rows that have none: NaN, and an index that is not there. */
function spoiled(x: Tensor, has: (row: number) => boolean): Tensor {
  const width = x.size / x.shape[0]!;
  const nothing = x.dtype === "int32" ? -1 : Number.NaN;
  const values = x.toTypedArray().map((value, i) => (has(Math.floor(i / width)) ? value : nothing));
  return tensor(values, { shape: x.shape });
}

/** Steps as one tree, time first. */
function joined(steps: readonly unknown[]): unknown {
  const columns = steps.map((step) => tree.leaves(step));
  let leaf = 0;
  return tree.map(steps[0], (x: Tensor) => {
    const at = leaf++;
    const values = columns.flatMap((column) => [...column[at]!.toTypedArray()]);
    const kind = x.dtype === "int32" ? Int32Array : Float64Array;
    return tensor(kind.from(values), { shape: [steps.length, ...x.shape] });
  });
}

/** The noise of a problem is the same in each of its loops. */
export function loop({ model, options, seed }: Drawn, given: Given, how: How) {
  const { params, inputs, state, context } = given;
  return unroll(
    model,
    params as never,
    inputs as never,
    {
      ...options,
      ...(state !== undefined && { state: state as never }),
      ...(context !== undefined && { context }),
      rng: rng(seed, "noise"),
      ...how,
    } as never,
  ) as unknown as { outputs: unknown; state: unknown };
}

/** What a loop gives, and gradients of it by random cotangents, one for each sweep. */
export interface Found {
  readonly values: Numbers;
  readonly sweeps: readonly Numbers[];
}

/** Runs a loop and sweeps back, as often as is asked for. */
export function run(p: Drawn, how: How, sweeps = 1): Found {
  return scope(() => {
    const tape = new Tape();
    const own = tape.watch(watchedOf(p)) as Partial<Given>;
    const results = loop(p, { ...p.given, ...own }, how);
    const random = rng(p.seed, "cotangents");
    const found: Numbers[] = [];
    for (let n = 0; n < sweeps; n++) {
      const targets: Tensor[] = [];
      const cotangent: Tensor[] = [];
      for (const y of tree.leaves(results)) {
        const g = normal(random, ...y.shape);
        if (!tape.tracks(y)) continue;
        targets.push(y);
        cotangent.push(g);
      }
      const gradient =
        targets.length === 0
          ? tree.map(own, (x: Tensor) => zeros(x.shape))
          : tape.gradient(targets, own, { cotangent });
      found.push(numbers(gradient));
    }
    return { values: numbers(results), sweeps: found };
  });
}

/** The part of what is given that a tape watches. */
export function watchedOf({ given, by }: Drawn): MapTree<Partial<Given>, Tensor> {
  return Object.fromEntries(by.map((name) => [name, given[name]])) as never;
}

/** A loop in words. */
export function words({ T, B, options, by, seed }: Drawn, how: How): string {
  const { mask, resets, ...rest } = options;
  const marks = {
    ...(mask && { mask: mask.toArray() }),
    ...(resets && { resets: resets.toArray() }),
  };
  return `seed ${seed}, T ${T}, B ${B}, ${JSON.stringify({ by, ...rest, ...marks, ...how })}:`;
}
