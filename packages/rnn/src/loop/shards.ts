import { ones, stack, type Tensor, tree } from "@chronograd/autodiff";
import { joinParts, pairwiseSum, partsOf, type Trial } from "@chronograd/autodiff/internal";
import { firstOfPart } from "../sequences/rows.ts";
import type { ChunkGradient, ChunkInputs, ChunkValue, runChunk, Variable } from "./chunk.ts";

/** Inputs with time before the rows; the others have their rows first. */
const timed = ["xs", "reset", "mask", "first"] as const;

/** What each shard of the rows is computed from. */
export function partsOfChunk<Params, State>(
  inputs: ChunkInputs<Params, State>,
  rows: number,
  count: number,
): ChunkInputs<Params, State>[] {
  if (count === 1) return [inputs];
  const { params, ...others } = inputs;
  const ofTime = Object.fromEntries(
    timed.filter((name) => name in others).map((name) => [name, others[name]]),
  );
  const along = partsOf(ofTime, rows, count, 1).map((part) => {
    const { mask, first } = part as Partial<Record<"mask" | "first", Tensor>>;
    // That of all rows may be in another part.
    return first === undefined ? part : { ...part, first: firstOfPart(mask!) };
  });
  return partsOf(others, rows, count).map(
    (part, shard) => ({ ...part, ...along[shard], params }) as ChunkInputs<Params, State>,
  );
}

/** The value of all rows. */
export function joinValues<State, Y>(
  values: readonly ChunkValue<State, Y>[],
  rows: number,
): ChunkValue<State, Y> {
  return {
    outputs: joinParts(
      values.map(({ outputs }) => outputs),
      rows,
      1,
    ),
    state: joinParts(
      values.map(({ state }) => state),
      rows,
    ),
  };
}

/** Cotangents of the outputs and of the state, by path, of each shard. */
export function partsOfCotangents(
  cotangents: Readonly<Record<string, Tensor>>,
  rows: number,
  count: number,
): Record<string, Tensor>[] {
  const entries = Object.entries(cotangents);
  const of = (isOutput: boolean) =>
    partsOf(
      Object.fromEntries(entries.filter(([path]) => path.startsWith("outputs") === isOutput)),
      rows,
      count,
      isOutput ? 1 : 0,
    );
  const [outputs, states] = [of(true), of(false)];
  return outputs.map((part, shard) => ({ ...part, ...states[shard] }));
}

/** Gradients of all rows; those by the parameters one by one, for each shard. */
export function joinGradients(
  gradients: readonly ChunkGradient[],
  inputs: ChunkInputs<unknown, unknown>,
  rows: number,
): ChunkGradient {
  const [first] = gradients;
  const all = (name: Variable) => gradients.map((gradient) => gradient[name]);
  return {
    ...(first && "params" in first && { params: all("params") }),
    ...(first && "state" in first && { state: joinParts(all("state"), rows) }),
    ...(first && "xs" in first && { xs: joinParts(all("xs"), rows, 1) }),
    ...(first &&
      "context" in first && { context: joinContexts(all("context"), inputs.context, rows) }),
  };
}

/** The gradient by a context, of which all rows may share some. */
function joinContexts(gradients: readonly unknown[], context: unknown, rows: number): unknown {
  const all = gradients.map((gradient) => tree.leaves(gradient));
  const shared = all[0]!.map((_, leaf) => {
    const parts = all.map((leaves) => leaves[leaf]!) as [Tensor, ...Tensor[]];
    return parts[0].dtype === "int32" ? parts[0] : pairwiseSum(parts, (a, b) => a.add(b));
  });
  const joined = tree.leaves(joinParts(gradients, rows));
  let leaf = 0;
  return tree.map(context, (x: Tensor) => {
    const at = leaf++;
    return x.shape[0] === rows ? joined[at]! : shared[at]!;
  });
}

/** Steps by which rows are told apart: a state that one of them gives enters the other. */
const trialSteps = 2;

/** The first steps of a chunk, and their gradient, for some or all rows, with the rows first. */
export function trialOf<Params, State, Y>(
  run: (
    inputs: ChunkInputs<Params, State>,
    length: number,
  ) => ReturnType<typeof runChunk<Params, State, never, Y>>,
  { params, ...inputs }: ChunkInputs<Params, State>,
  rows: number,
  shards: number,
): Trial<unknown> {
  const [{ shape }] = tree.leaves(inputs.xs) as [Tensor];
  const length = Math.min(shape[0]!, trialSteps);
  const step = (i: number) => (x: Tensor) => x.slice([i]);
  const apart = (values: unknown) =>
    Array.from({ length }, (_, i) => tree.map(values, step(i)) as unknown);
  const timedInputs = Object.fromEntries(
    timed.filter((name) => name in inputs).map((name) => [name, inputs[name]]),
  );
  const { noise, ...others } = inputs;
  type Given = {
    params: typeof params;
    others: typeof others;
    noise: readonly unknown[];
    steps: (typeof timedInputs)[];
  };
  const whole = (given: Given): ChunkInputs<Params, State> => {
    const { others: own, noise: drawn, params: weights } = given;
    const steps = given.steps.map((each) => {
      const { mask, first } = each as Partial<Record<"mask" | "first", Tensor>>;
      return first === undefined ? each : { ...each, first: firstOfPart(mask!) };
    });
    const all = (name: string) =>
      tree.zip(steps[0]![name], steps[length - 1]![name], (first, last) =>
        stack(length === 1 ? [first] : [first, last]),
      ) as unknown;
    const ofTime = Object.fromEntries(Object.keys(timedInputs).map((name) => [name, all(name)]));
    return { ...own, ...(noise && { noise: drawn }), ...ofTime, params: weights } as never;
  };
  const isRowWise = tree.leaves(inputs.context).map((x) => x.shape[0] === rows);
  return {
    inputs: {
      params,
      others: { ...others, xs: undefined, reset: undefined, mask: undefined, first: undefined },
      noise: noise?.slice(0, length) ?? [],
      steps: apart(timedInputs),
    },
    rows,
    shards,
    axis: 0,
    parts: (given) => {
      const { params: weights, ...rest } = given as Given;
      return partsOf(rest, rows, shards).map((part) => ({ params: weights, ...part }));
    },
    forward: (given) => {
      const { value } = run(whole(given as Given), length);
      return [value.state, apart(value.outputs)];
    },
    run(given) {
      const { value, pullbacks } = run(whole(given as Given), length);
      const cotangents: Record<string, Tensor> = {};
      for (const [path, { shape: like, dtype, backend }] of tree.leavesWithPath<Tensor>(value)) {
        if (dtype !== "int32") cotangents[path] = ones(like, { dtype, backend });
      }
      const gradient = pullbacks[0]?.(cotangents) ?? {};
      const context = tree.leaves(gradient.context) as Tensor[];
      return {
        rows: [
          value.state,
          apart(value.outputs),
          gradient.state,
          apart(gradient.xs),
          context.filter((_, i) => isRowWise[i]),
        ],
        sums: [gradient.params, context.filter((_, i) => !isRowWise[i])],
      };
    },
  };
}
