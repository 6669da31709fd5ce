import { compile, grad, type Tensor, tensor, valueAndGrad } from "@chronograd/autodiff";
import { describe, expect, test } from "vitest";
import { rng, selfCommunicator } from "../../src/index.ts";
import { runWorkers } from "../../src/node.ts";
import {
  type DistributedOptions,
  distributedValueAndGrad,
  type RankAndSize,
  shardList,
  shardRows,
} from "../../src/parallel.ts";
import { failure } from "./conformance.ts";
import {
  type Found,
  type Given,
  type Input,
  means,
  type Output,
  type Row,
} from "./distributedTasks.ts";

const module = new URL("./distributedTasks.ts", import.meta.url);
const random = rng(Number(process.env.CHRONOGRAD_SEED ?? 1), "distributed");

const rowOf = (): Row =>
  Array.from({ length: random.integer(1, 5) }, () => ({
    x: random.normal(),
    target: random.normal(),
  }));
/** Batches of 1 to 7 rows: with three workers some of them have none. */
const batches = [1, 2, 3, 4, 5, 6, 7].map((rows) => Array.from({ length: rows }, rowOf));
const given = { dtype: "float64", batches, scale: 1 } as const;
const torn = [[[{ x: 1, target: 1 }], [{ x: Number.NaN, target: 1 }], [], []]];

/** In float64 with scales near both ends of its range, in float32, and with a NaN in one row. */
const runs: readonly Given[] = [
  ...[1, 1e-280, 1e280].map((scale) => ({ ...given, scale })),
  ...[1, 1e35].map((scale) => ({ ...given, scale, dtype: "float32" as const })),
  { ...given, batches: torn },
];

const numbersOf = ({ value, gradient: { W, b } }: Found) => [value, ...W, b];

/** The largest difference, relative to the largest number of the batch. */
function far(a: readonly Found[], b: readonly Found[]): number {
  const distances = a.map((found, i) => {
    const [own, other] = [numbersOf(found), numbersOf(b[i]!)];
    const size = Math.max(...other.map(Math.abs));
    return Math.max(...own.map((x, j) => Math.abs(x - other[j]!) / size));
  });
  return Math.max(...distances);
}

/** The mean over tokens and its gradient in closed form, `scale` times. */
function closedForm({ batches: all, scale }: Given): Found[] {
  return all.map((rows) => {
    const tokens = rows.flat();
    let [value, w0, w1, b] = [0, 0, 0, 0];
    for (const { x, target } of tokens) {
      const error = 0.3 * x - 0.2 * x * x + 0.1 - target;
      const share = scale / tokens.length;
      value += share * error ** 2;
      w0 += 2 * share * error * x;
      w1 += 2 * share * error * x * x;
      b += 2 * share * error;
    }
    return { value, gradient: { W: [w0, w1], b } };
  });
}

test.each([2, 3])("%i workers have the mean over the tokens of all", async (workers) => {
  const outputs = await runWorkers<Output, Input>(module, { workers, input: runs });
  const [{ found, refused }] = outputs as [Output];
  for (const [i, run] of runs.slice(0, 5).entries()) {
    const bound = run.dtype === "float64" ? 1e-12 : 1e-6;
    expect(far(found[i]!, closedForm(run))).toBeLessThan(bound);
    expect(far(found[i]!, means(run))).toBeLessThan(bound);
  }
  expect(found[5]!.flatMap(numbersOf)).toEqual([NaN, NaN, NaN, NaN]);
  // All have the same bits.
  for (const output of outputs) expect(output).toEqual(outputs[0]);
  if (workers === 2)
    expect(refused).toMatchInlineSnapshot(`
      [
        "distributedValueAndGrad: the weights of all workers add up to 0, and a mean of so many rows is none; leave empty batches out, and count rows or tokens",
        "distributedValueAndGrad: the weights of all workers add up to Infinity, and a mean of so many rows is none; leave empty batches out, and count rows or tokens",
        "allReduce: worker 0 of 2 came with "gradient.b": float64 [] and worker 1 came with "gradient.b": float64 [1]; every worker must call the same collectives, in the same order, with trees of the same structure, shapes and dtypes",
      ]
    `);
});

test("a worker that counts wrongly ends all", async () => {
  const input = "a wrong weight";
  await expect(
    runWorkers<Output, Input>(module, { workers: 2, input }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[WorkerError: worker 1 of 2: distributedValueAndGrad: weight must give a finite number of at least 0, how many rows the call has, got NaN]`,
  );
});

describe("one worker", () => {
  const loss = (w: Tensor, rows: readonly number[]) =>
    tensor([...rows])
      .sub(w)
      .square()
      .mean();
  const options = {
    communicator: selfCommunicator,
    weight: (rows: readonly number[]) => rows.length,
  };
  const w = tensor(0.1);

  test("has the bits of valueAndGrad", () => {
    const rows = Array.from({ length: 11 }, () => random.normal());
    const [value, gradient] = valueAndGrad(loss)(w, rows);
    const found = distributedValueAndGrad(loss, options)(w, rows);
    expect([found[0], found[1].item()]).toEqual([value.item(), gradient.item()]);
    expect(far(means(given), closedForm(given))).toBeLessThan(1e-14);
  });

  test("what does not fit is told", () => {
    const make = (given: object) =>
      failure(() => distributedValueAndGrad(loss, given as DistributedOptions<[number[]]>));
    expect([
      make({ ...options, weights: 1 }),
      make({ weight: options.weight }),
      make({ ...options, weight: 3 }),
      failure(() => distributedValueAndGrad(3 as never, options)),
      failure(() => distributedValueAndGrad(loss, options)(w, [])),
      failure(() => distributedValueAndGrad(loss, { ...options, weight: () => -1 })(w, [1])),
      failure(() => grad((x) => distributedValueAndGrad(loss, options)(x, [1])[1])(w)),
    ]).toMatchInlineSnapshot(`
      [
        "distributedValueAndGrad: there is no option "weights", did you mean "weight"? It takes communicator, weight",
        "distributedValueAndGrad: communicator must be that of this worker, such as mpi() or selfCommunicator, got undefined",
        "distributedValueAndGrad: weight must be a function that counts the rows of a call, such as (rows) => rows.length, got 3",
        "distributedValueAndGrad: expected a function of tensors and of this worker's rows, got 3",
        "distributedValueAndGrad: the weights of all workers add up to 0, and a mean of so many rows is none; leave empty batches out, and count rows or tokens",
        "distributedValueAndGrad: weight must give a finite number of at least 0, how many rows the call has, got -1",
        "distributedValueAndGrad: its function depends on what another tape tracks, and that of other workers does not; detach it, or call this outside of other gradients",
      ]
    `);
  });

  test("is not compiled, because a plan would not wait", () => {
    const step = compile((x: Tensor) => distributedValueAndGrad(loss, options)(x, [1])[1].mul(2));
    expect(step(w).item()).toBeCloseTo(4 * (0.1 - 1), 5);
    expect(step.explain()).toMatch(/distributedValueAndGrad waits for other workers/);
  });
});

test("a list is dealt out as rows are, and some get nothing of a short one", () => {
  for (let size = 1; size <= 5; size++) {
    for (let count = 0; count <= 9; count++) {
      const items = Array.from({ length: count }, (_, i) => i);
      const parts = Array.from({ length: size }, (_, rank) => shardList(items, { rank, size }));
      expect(parts.flat()).toEqual(items);
      const sizes = parts.map(({ length }) => length);
      expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      if (count < size) continue;
      const ranges = parts.map((_, rank) => shardRows(count, { rank, size }));
      expect(sizes).toEqual(ranges.map(({ start, end }) => end - start));
    }
  }
  const two = { rank: 0, size: 2 };
  const of = (items: unknown, communicator: RankAndSize) =>
    failure(() => shardList(items as number[], communicator));
  expect([
    of("abc", two),
    of(tensor([1, 2]), two),
    of([1], { rank: 2, size: 2 }),
  ]).toMatchInlineSnapshot(`
    [
      "shardList: items must be an array, got "abc"; shard takes rows out of tensors",
      "shardList: items must be an array, got [object Object]; shard takes rows out of tensors",
      "shardList: rank must be a whole number from 0 to 1, got 2",
    ]
  `);
});
