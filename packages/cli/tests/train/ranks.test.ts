import { tree } from "@chronograd/autodiff";
import { rng, selfCommunicator } from "@chronograd/nn";
import { runWorkers } from "@chronograd/nn/node";
import { beforeAll, describe, expect, test } from "vitest";
import { noiseOf } from "../../src/training/noise.ts";
import { Tally } from "../../src/training/tally.ts";
import { alone, type Ended, type Endings, type Run } from "./rankRuns.ts";

const module = new URL("./rankRuns.ts", import.meta.url);
const ranks = (size: number, list: readonly Run[]) =>
  runWorkers<Endings, readonly Run[]>(module, { workers: size, input: list });

const rows = [0, 1, 2, 3];
const mean = { outerLr: 1, outerMomentum: 0 };

/** Runs of one process. */
const single: readonly Run[] = [
  { name: "row 0", rows: [0], windows: 2 },
  { name: "row 1", rows: [1], windows: 2 },
  { name: "row 0, local", rows: [0], windows: 6, localUpdates: 3 },
  { name: "row 0, mean", rows: [0], windows: 6, localUpdates: 3, ...mean },
  { name: "row 0, plain", rows: [0], windows: 6 },
  { name: "a shard a thread", rows, windows: 3, shards: 4, threads: 2 },
  { name: "4 shards in turn", rows, windows: 3, shards: 4, threads: 1 },
  { name: "4 shards, first", rows, windows: 2, shards: 4, threads: 1 },
  { name: "4 shards, on", rows, windows: 3, shards: 4, threads: 2, from: "4 shards, first" },
  { name: "noise of one", rows, windows: 3, zoneout: 0.5 },
];

/** Runs of two ranks. */
const shared: readonly Run[] = [
  { name: "rows 0, 1", rows: [0, 1], windows: 2, localUpdates: 2, ...mean },
  { name: "twice row 0", rows: [0, 0], windows: 6, localUpdates: 3 },
  { name: "the data end", rows: [0, 1], windows: 9, ends: 2, localUpdates: 3, ...mean },
  { name: "the data end later", rows: [0, 0], windows: 8, ends: 5, localUpdates: 2, ...mean },
  { name: "4 shards", rows, windows: 3, shards: 4, threads: 1 },
  { name: "local", rows, windows: 6, localUpdates: 2, k2: 5 },
  { name: "local, first", rows, windows: 4, localUpdates: 2, k2: 5 },
  { name: "local, on", rows, windows: 6, localUpdates: 2, k2: 5, from: "local, first" },
  { name: "each", rows, windows: 4, localUpdates: 1 },
  { name: "each, first", rows, windows: 3, localUpdates: 1 },
  { name: "noise", rows, windows: 4, zoneout: 0.5 },
  { name: "noise, first", rows, windows: 2, zoneout: 0.5 },
  { name: "noise, on", rows, windows: 4, zoneout: 0.5, from: "noise, first" },
  { name: "rare noise", rows, windows: 4, zoneout: 1e-9 },
  { name: "rare noise, first", rows, windows: 3, zoneout: 1e-9 },
  { name: "local noise", rows, windows: 4, localUpdates: 2, zoneout: 0.5 },
  { name: "local noise, first", rows, windows: 2, localUpdates: 2, zoneout: 0.5 },
  {
    name: "local noise, on",
    rows,
    windows: 4,
    localUpdates: 2,
    zoneout: 0.5,
    from: "local noise, first",
  },
];

let one: Endings;
let two: readonly Endings[];
const of = (name: string): Ended => two[0]![name]!;

beforeAll(async () => {
  one = await alone(single);
  const from = one["noise of one"]!;
  const on = { name: "noise of one, on", rows, windows: 5, zoneout: 0.5, from };
  two = await ranks(2, [...shared, on]);
});

/** The largest difference of parameters. */
const far = (a: Ended, b: Pick<Ended, "params">) =>
  Math.max(...a.params.flat().map((x, i) => Math.abs(x - b.params.flat()[i]!)));
const losses = ({ metrics }: Ended) => metrics.map(({ loss }) => loss);
const numbers = ({ metrics }: Ended) => metrics.map(({ window, step }) => [window, step]);

test("all ranks come to the same parameters", () => {
  for (const { name } of shared) expect(two[1]![name]!.params).toEqual(of(name).params);
});

describe("shards", () => {
  test("fix the bits for any number of threads and ranks, and for a run that goes on", () => {
    const { params } = one["4 shards in turn"]!;
    expect(one["a shard a thread"]!.params).toEqual(params);
    expect(of("4 shards").params).toEqual(params);
    expect(one["4 shards, on"]!.params).toEqual(params);
    expect(losses(of("4 shards"))).toEqual(losses(one["4 shards in turn"]!));
  });

  test("are told with their threads", () => {
    const said = [one["a shard a thread"]!, one["4 shards in turn"]!, of("4 shards")];
    expect(said.map((ended) => ended.said)).toMatchInlineSnapshot(`
      [
        [
          "Threads: 4 shards of the rows, on 2 threads",
        ],
        [
          "Threads: 4 shards of the rows, on one thread",
        ],
        [
          "Threads: 2 shards of the rows of each rank, on one thread",
        ],
      ]
    `);
  });
});

describe("local updates", () => {
  test.each(["rows 0, 1", "the data end"])("average what each rank comes to alone: %s", (name) => {
    const [a, b] = [one["row 0"]!, one["row 1"]!];
    const params = a.params.map((x, i) => x.map((value, j) => (value + b.params[i]![j]!) / 2));
    const found = of(name);
    expect(far(found, { params })).toBeLessThan(1e-6);
    const both = [...a.metrics, ...b.metrics];
    const meanOf = (key: "loss" | "gradientNorm") =>
      both.reduce((sum, line) => sum + line[key], 0) / both.length;
    expect(numbers(found)).toEqual([[1, 4]]);
    expect(found.metrics[0]!.loss).toBeCloseTo(meanOf("loss"), 4);
    expect(found.metrics[0]!.gradientNorm).toBeCloseTo(meanOf("gradientNorm"), 5);
  });

  test("of ranks with the same rows are those of one, bit for bit", () => {
    const found = of("twice row 0");
    expect(found.params).toEqual(one["row 0, local"]!.params);
    expect(losses(found)).toEqual(losses(one["row 0, local"]!));
  });

  test("of one rank, whose mean is itself, are a plain run", () => {
    expect(far(one["row 0, mean"]!, one["row 0, plain"]!)).toBeLessThan(1e-6);
    expect(far(one["row 0, local"]!, one["row 0, plain"]!)).toBeGreaterThan(1e-3);
  });

  test("log what is left where the data end", () => {
    const found = of("the data end later");
    expect(numbers(found)).toEqual([
      [1, 4],
      [3, 8],
      [4, 10],
    ]);
    expect(found.saved.over).toBe(true);
  });

  test("go on bit for bit after an average", () => {
    expect(of("local, on").params).toEqual(of("local").params);
    expect(of("local, on").metrics).toEqual(of("local").metrics);
  });
});

describe("another number of ranks goes on", () => {
  // Before its first update, a window has the loss that it would have had.
  test("after local updates, with the state of each row", async () => {
    const { on } = await alone([
      { name: "on", rows, windows: 6, localUpdates: 1, from: of("each, first") },
    ]);
    expect(numbers(on!)).toEqual([0, 1, 2, 3, 4, 5].map((i) => [i, 2 * i + 2]));
    expect(losses(on!)[3]).toBeCloseTo(losses(of("each"))[3]!, 4);
    expect(losses(on!)[3]).not.toBeCloseTo(losses(on!)[2]!, 2);
  });

  test("with noise of its own", async () => {
    const { on } = await alone([
      { name: "on", rows, windows: 6, zoneout: 1e-9, from: of("rare noise, first") },
    ]);
    expect(losses(on!)[3]).toBeCloseTo(losses(of("rare noise"))[3]!, 4);
    expect(numbers(of("noise of one, on"))).toEqual([0, 1, 2, 3, 4].map((i) => [i, 2 * i + 2]));
  });
});

describe("noise", () => {
  test("of several ranks goes on bit for bit", () => {
    expect(of("noise, on").params).toEqual(of("noise").params);
    expect(of("local noise, on").params).toEqual(of("local noise").params);
    expect(of("noise").params).not.toEqual(of("rare noise").params);
  });

  test("is drawn from a stream of its own by each rank, and by each number of ranks", () => {
    const first = (rank: number, size: number, windows: number) => {
      const communicator = { ...selfCommunicator, rank, size };
      const model = { noise: {} };
      return noiseOf(model, { random: rng(3), communicator, windows, earlier: null })!.uniform();
    };
    // As it was before there were ranks.
    expect(first(0, 1, 0)).toBe(rng(3).split("noise").uniform());
    const all = [first(0, 1, 0), first(0, 2, 0), first(1, 2, 0), first(0, 1, 9), first(0, 2, 9)];
    expect(new Set(all).size).toBe(all.length);
  });
});

test("what is told of several windows is the mean, of ranks that have their own too", () => {
  const windows = [
    { losses: [1, 2], count: 4 },
    { losses: [6], count: 2, stateGradientNorms: [3, 4] },
  ];
  const tally = new Tally();
  const added = () => {
    for (const [i, window] of windows.entries()) tally.add(window, 1 + i);
  };
  added();
  const expected = { loss: 9 / 6, count: 6, gradientNorm: 1.5, stateGradientNorms: [3, 4] };
  expect(tally.take(selfCommunicator)).toEqual(expected);
  // Two ranks with the same windows: half of the weight of each loss, and twice the rows.
  added();
  const isNumber = (x: unknown): x is number => typeof x === "number";
  const allReduce = <T>(sums: T) => tree.map<T, number, number>(sums, (x) => 2 * x, isNumber) as T;
  const { stateGradientNorms, ...others } = tally.take({ ...selfCommunicator, size: 2, allReduce });
  expect(others).toEqual({ loss: 9 / 6, count: 12, gradientNorm: 1.5 });
  expect(stateGradientNorms![0]).toBeCloseTo(3 / Math.SQRT2, 12);
  expect(stateGradientNorms![1]).toBeCloseTo(4 / Math.SQRT2, 12);
  tally.add({ losses: [0], count: 0 }, 0);
  expect(tally.take(selfCommunicator).loss).toBe(0);
});
