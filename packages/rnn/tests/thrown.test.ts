import { type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { elman, initialParams, sequential, truncated, unroll } from "../src/index.ts";
import { modes } from "./truncated/setup.ts";

const cell = elman({ input: 1, hidden: 2 });
const params = initialParams(cell, rng(1));
const xs = [0, 1, 2, 3].map((x) => tensor([[x]]));
class Stop extends Error {}

/** The cell, that throws where its input is 2. */
const throwing = (thrown: unknown) => ({
  ...cell,
  step: (...[weights, x, state]: Parameters<typeof cell.step>) => {
    if (x.item() === 2) throw thrown;
    return cell.step(weights, x, state);
  },
});

function caught(act: () => unknown): Error {
  try {
    act();
  } catch (error) {
    return error as Error;
  }
  throw new Error("nothing was thrown");
}

const kinds: [string, unknown, new (...args: never[]) => Error, string][] = [
  ["a RangeError", new RangeError("mine"), RangeError, "mine"],
  ["a TypeError", new TypeError("mine"), TypeError, "mine"],
  ["an error of one's own", new Stop("mine"), Error, "mine"],
  ["no error at all", "mine", Error, "mine"],
  ["nothing", undefined, Error, "undefined"],
];

describe.each(kinds)("what throws %s", (_what, thrown, kind, text) => {
  const holds = (error: Error, message: string) => {
    expect(error.message).toBe(message);
    expect(error.constructor).toBe(kind);
    expect("cause" in error).toBe(true);
    expect(error.cause).toBe(thrown);
  };

  test("says its step in unroll, forwards and in reverse", () => {
    for (const reverse of [false, true]) {
      const error = caught(() => unroll(throwing(thrown), params, xs, { reverse }));
      holds(error, `unroll: step 3: ${text}`);
    }
  });

  test.each(modes)("says its step in truncated, %s", (stale) => {
    const steps = xs.map((input) => ({ input, target: input }));
    const run = (which: typeof cell, loss: (y: Tensor, x: Tensor) => Tensor) =>
      Array.from(truncated(which, params, steps, { k1: 1, k2: 2, stale, loss }));
    holds(
      caught(() => run(throwing(thrown), (y) => y)),
      `truncated: step 3: ${text}`,
    );
    const failing = (y: Tensor, x: Tensor) => {
      if (x.item() === 1) throw thrown;
      return y;
    };
    holds(
      caught(() => run(cell, failing)),
      `truncated: the loss of step 2: ${text}`,
    );
  });
});

test.each(modes)("a loss that is undefined names its step, %s", (stale) => {
  const steps = xs.map((input) => ({ input, target: input }));
  const loss = (y: Tensor, x: Tensor) => (x.item() === 2 ? (undefined as never) : y);
  expect(() => Array.from(truncated(cell, params, steps, { k1: 1, k2: 2, stale, loss }))).toThrow(
    /^truncated: the loss of step 3 must be a tensor .* got undefined; return null for a step without/,
  );
});

test("an op that refuses is the cause, inside of a model too", () => {
  const model = sequential({ lower: cell, upper: elman({ input: 3, hidden: 2 }) });
  const error = caught(() => unroll(model, initialParams(model, rng(1)), zeros([2, 1, 1])));
  expect(error).toMatchInlineSnapshot(
    `[RangeError: unroll: step 1: matmul: inner dimensions must agree, got [1,2] and [3,2]; transpose one operand?]`,
  );
  expect(error.cause).toBeInstanceOf(RangeError);
});
