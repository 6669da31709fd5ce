import { scope, Tape, type Tensor, tensor, tree, zeros } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { initialState, type UnrollOptions, unroll } from "../../src/index.ts";
import { drawParams } from "../../src/testing/draw.ts";
import { type Numbers, numbers } from "../truncated/setup.ts";
import { type AnyModel, drawn, models } from "./models.ts";

/** What a gradient may be taken by. */
export interface Given {
  readonly params: unknown;
  /** One tree for each step. */
  readonly inputs: readonly unknown[];
  readonly state?: unknown;
  readonly context?: unknown;
}

/** How a loop runs. */
export type How = Pick<UnrollOptions<never>, "compile" | "memory" | "threads" | "shards">;

/** A sequence, with everything that changes how it runs. */
export interface Problem {
  readonly name: string;
  readonly model: AnyModel;
  readonly given: Given;
  /** What is watched. */
  readonly by: readonly (keyof Given)[];
  readonly options: UnrollOptions<never>;
  /** The seed of the noise, and of what flows back. */
  readonly seed: number;
  /** Whether inputs are given as one tree, time first. */
  readonly isJoined: boolean;
}

/** How a problem is drawn. */
export interface Shape {
  readonly name: string;
  readonly T: number;
  readonly B: number;
  readonly seed: number;
}

/** A random problem: marks, burn-in, direction, state and what is watched, by the seed. */
export function problem({ name, T, B, seed }: Shape): Problem {
  const { model, input, context, isWhole = false, needsState = false } = models[name]!;
  const random = rng(seed, "loop");
  const is = (chance: number) => random.uniform() < chance;
  const marks = (chance: number) =>
    tensor(
      Int32Array.from({ length: T * B }, () => Number(is(chance))),
      { shape: [T, B] },
    );
  const reverse = is(0.3);
  const burnIn = !reverse && !isWhole && is(0.3) ? random.integer(0, T) : 0;
  const kind = random.integer(0, 4);
  const options: UnrollOptions<never> = {
    reverse,
    burnIn,
    ...(kind === 1 && { lengths: Array.from({ length: B }, () => random.integer(0, T + 1)) }),
    ...(kind === 2 && { mask: marks(0.7) }),
    ...(is(0.4) && { resets: marks(0.25) }),
  };
  const params = drawParams(model, random.split("params"));
  const initial = () =>
    tree.map(initialState({ state: model.state }, B, { dtype: "float64" }), (x: Tensor) =>
      x.dtype === "int32" ? x : x.add(drawn(random, ...x.shape)),
    );
  const given: Given = {
    params,
    inputs: Array.from({ length: T }, () => input(random, B)),
    ...((is(0.5) || needsState) && { state: initial() }),
    ...(context && { context: context(random, B) }),
  };
  const all = Object.keys(given) as (keyof Given)[];
  const by = is(0.5) ? all : all.filter(() => is(0.6));
  return { name, model, given, by, options, seed, isJoined: is(0.5) };
}

/** Everything that a loop gives, as numbers. */
export interface Found {
  readonly values: Numbers;
  readonly gradients: Numbers;
}

/** Steps as one tree, time first. */
export function joined(steps: readonly unknown[]): unknown {
  const columns = steps.map((step) => tree.leaves(step));
  let leaf = 0;
  return tree.map(steps[0], (x: Tensor) => {
    const at = leaf++;
    const kind = x.dtype === "int32" ? Int32Array : Float64Array;
    const values = columns.flatMap((column) => [...column[at]!.toTypedArray()]);
    return tensor(kind.from(values), { shape: [steps.length, ...x.shape] });
  });
}

/** Runs a problem, and takes gradients of all that it gives, by random cotangents. */
export function run({ model, given, by, options, seed, isJoined }: Problem, how: How): Found {
  return scope(() => {
    const tape = new Tape();
    const whole = { ...given, ...(isJoined && { inputs: joined(given.inputs) }) };
    const own = Object.fromEntries(by.map((name) => [name, whole[name]]));
    const watched = tape.watch(own) as Partial<Given>;
    const { params, inputs, state, context } = { ...whole, ...watched };
    const { outputs, state: last } = unroll(model as never, params as never, inputs as never, {
      ...(options as object),
      ...(state !== undefined && { state: state as never }),
      ...(context !== undefined && { context }),
      rng: rng(seed, "noise"),
      ...how,
    });
    const random = rng(seed, "cotangents");
    const targets: Tensor[] = [];
    const cotangents: Tensor[] = [];
    for (const y of tree.leaves({ outputs, last })) {
      const g = drawn(random, ...y.shape);
      if (!tape.tracks(y)) continue;
      targets.push(y);
      cotangents.push(g);
    }
    const gradients =
      targets.length === 0
        ? tree.map(own, (x: Tensor) => zeros(x.shape))
        : tape.gradient(targets, watched, { cotangent: cotangents });
    return { values: numbers({ outputs, last }), gradients: byStep(numbers(gradients)) };
  });
}

/** Gradients by inputs under one path, whether they came as a list or as one tensor. */
function byStep(gradients: Numbers): Numbers {
  const found: Numbers = {};
  for (const [path, values] of Object.entries(gradients)) {
    const name = path.replace(/^inputs\.\d+/, "inputs");
    found[name] = [...(found[name] ?? []), ...values];
  }
  return found;
}
