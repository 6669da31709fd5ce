import { isDeepStrictEqual } from "node:util";
import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { describe, expect, test } from "vitest";
import { gather, selfCommunicator } from "../../src/index.ts";
import { runWorkers } from "../../src/node.ts";
import {
  createCommunicator,
  SharedMemory,
  sharedBuffer,
  type Transport,
} from "../../src/parallel.ts";
import { bits } from "../files/trees.ts";
import { failure, sumInOrder, treeOf } from "./conformance.ts";
import type { Given } from "./tasks.ts";

const tasks = new URL("./tasks.ts", import.meta.url);
const run = (workers: number, input: Given) => runWorkers(tasks, { workers, input });

describe("allReduce", () => {
  test("of a tree larger than the slots that it goes through", async () => {
    const shapes = [[700, 1000], [3], [0, 2], [500_001]];
    const expected = sumInOrder([0, 1, 2].map((rank) => treeOf(rank, { shapes })));
    // Not by toEqual, which would print millions of numbers.
    for (const found of await run(3, { task: "a large sum", shapes })) {
      expect(isDeepStrictEqual(found, expected)).toBe(true);
    }
  });

  test("thousands of times, with late comers, and never waits for ever", async () => {
    expect(await run(3, { task: "often", times: 1500 })).toEqual([4500, 4500, 4500]);
  });
});

describe("workers that disagree all throw a sentence", () => {
  test.each([
    ["shapes"],
    ["dtypes"],
    ["structure"],
    ["keys"],
    ["calls"],
    ["roots"],
    ["late"],
  ] as const)("about %s", async (task) => {
    // Each names what it called itself; what it says then is the same.
    const found = (await run(2, { task })) as string[];
    const [first, second] = found.map((message) => message.slice(message.indexOf(":")));
    expect(second).toBe(first);
    expect(found[0]).toMatchSnapshot();
  });

  test("and can go on together", async () => {
    expect(await run(2, { task: "goes on" })).toEqual([
      ["allReduce", 1, 1],
      ["allReduce", 1, 1],
    ]);
  });
});

describe("a communicator", () => {
  const shared = createCommunicator(new SharedMemory(sharedBuffer(1), 0));
  const ends = [selfCommunicator, shared] as const;

  test.each(ends)("of one worker gives back every bit", (communicator) => {
    const odd = [0, -0, Number.NaN, Infinity, 5e-324, -1 / 3, 2 ** -149];
    for (const dtype of ["float32", "float64"] as const) {
      const x = tensor(odd, { dtype });
      const bytes = (y: Tensor) => new Uint8Array(y.toTypedArray().buffer);
      expect(bytes(communicator.allReduce({ x }).x)).toEqual(bytes(x));
      expect(bytes(communicator.broadcast([x])[0]!)).toEqual(bytes(x));
    }
    expect(communicator.allReduce(-0)).toBe(-0);
    communicator.barrier();
  });

  test.each(ends)(
    "of one worker gives new tensors, whatever becomes of the old",
    (communicator) => {
      const x = tensor([1, 2]);
      const sum = communicator.allReduce({ x });
      expect(sum.x).not.toBe(x);
      expect(tree.map(sum, (y: Tensor) => y.toArray())).toEqual({ x: [1, 2] });
    },
  );

  test.each(ends)("of one worker stays that of this worker", (communicator) => {
    expect(() => Object.assign(communicator, { rank: 3 })).toThrow(TypeError);
    expect([communicator.rank, communicator.size]).toEqual([0, 1]);
  });

  test.each(ends)("refuses what it cannot send", (communicator) => {
    expect(failure(() => communicator.allReduce({ when: new Date(0) }))).toMatchInlineSnapshot(
      `"allReduce: expected tensors and numbers in plain objects and arrays, got an instance of Date at "when""`,
    );
    expect(failure(() => communicator.broadcast(new Map()))).toMatchInlineSnapshot(
      `"broadcast: expected tensors and numbers in plain objects and arrays, got an instance of Map at its root"`,
    );
    const gone: Tensor[] = [];
    scope(() => gone.push(tensor([1])));
    expect(failure(() => communicator.allReduce({ W: gone[0] }))).toMatchInlineSnapshot(
      `"allReduce: the tensor at "W" is gone: the scope it was made in has ended; return it from the scope to keep it"`,
    );
    expect(failure(() => communicator.broadcast({}, 1))).toMatchInlineSnapshot(
      `"broadcast: root must be the rank of a worker, a whole number from 0 to 0, got 1"`,
    );
  });

  test.each(ends)("of one worker gathers its own tree, as a new one", (communicator) => {
    const tree = { W: tensor([-0, Number.NaN]), plain: [-0, Number.NaN, "text", null, {}] };
    const found = gather(communicator, tree);
    expect(isDeepStrictEqual(found.map(bits), [bits(tree)])).toBe(true);
    expect(found[0]!.W).not.toBe(tree.W);
    expect(failure(() => gather(communicator, { when: new Date(0) }))).toMatchInlineSnapshot(
      `"gather: the value at "when" is an instance of Date; write what it holds, as plain objects and arrays"`,
    );
  });

  test("cannot be made for a worker that is none, nor over too little memory", () => {
    expect(failure(() => new SharedMemory(sharedBuffer(2), 2))).toMatchInlineSnapshot(
      `"SharedMemory: rank must be a whole number from 0 to 1, got 2"`,
    );
    const others = [
      new ArrayBuffer(1024),
      new SharedArrayBuffer(64),
      new SharedArrayBuffer(2 ** 22),
      undefined,
    ];
    new Uint8Array(others[2]!).fill(7);
    const made = others.map((buffer) => failure(() => new SharedMemory(buffer as never, 0)));
    expect(made).toMatchInlineSnapshot(`
      [
        "SharedMemory: buffer must come from sharedBuffer(size), got type ArrayBuffer",
        "SharedMemory: buffer must come from sharedBuffer(size), got type SharedArrayBuffer",
        "SharedMemory: buffer must come from sharedBuffer(size), got other shared memory",
        "SharedMemory: buffer must come from sharedBuffer(size), got type Undefined",
      ]
    `);
    const transport = { rank: 0, size: 1, messageBytes: 4 } as Transport;
    expect(failure(() => createCommunicator(transport))).toMatchInlineSnapshot(
      `"createCommunicator: messageBytes must be a multiple of 8 of at least 8, got 4"`,
    );
    expect(failure(() => sharedBuffer(0))).toMatchInlineSnapshot(
      `"sharedBuffer: size must be a whole number of at least 1, got 0"`,
    );
    expect(failure(() => sharedBuffer(2, { messageBytes: 12 }))).toMatchInlineSnapshot(
      `"sharedBuffer: messageBytes must be a multiple of 8 of at least 8, got 12"`,
    );
  });
});
