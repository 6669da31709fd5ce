import { createBackend, type Tensor, tensor } from "@chronograd/autodiff";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { beamSearch, continuations, generate, type Hypothesis } from "../../src/decode.ts";
import { initialState } from "../../src/index.ts";
import { languageModel, logProbabilities, penalties } from "./setup.ts";

/** All sequences that a search could find, by trying each of them. */
function exhaustive(
  model: ReturnType<typeof languageModel>["model"],
  params: ReturnType<typeof languageModel>["params"],
  start: number,
  { end, V, L, divisor }: { end?: number; V: number; L: number; divisor: (n: number) => number },
): Hypothesis[] {
  const found: Hypothesis[] = [];
  const visit = (tokens: readonly number[]): void => {
    const ended = end !== undefined && tokens.at(-1) === end;
    if (ended || tokens.length === L) {
      const logs = logProbabilities(model, params, [start, ...tokens]);
      const logProbability = logs.reduce((sum, x) => sum + x, 0);
      const score = logProbability / divisor(tokens.length);
      found.push({ tokens: ended ? tokens.slice(0, -1) : tokens, logProbability, score, ended });
      return;
    }
    for (let token = 0; token < V; token++) visit([...tokens, token]);
  };
  visit([]);
  return found.sort((a, b) => b.score - a.score);
}

/** Hypotheses, their numbers nearly. */
const near = (list: readonly Hypothesis[]) =>
  list.map((each) => ({
    ...each,
    logProbability: expect.closeTo(each.logProbability, 9),
    score: expect.closeTo(each.score, 9),
  }));

describe("a width of at least V^L is an exhaustive search", () => {
  test.each(penalties)("length penalty: %s", (_, lengthPenalty, divisor) => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 1000 }),
        fc.integer({ min: 1, max: 3 }),
        fc.constantFrom(undefined, 0, 2),
        (seed, L, end) => {
          const V = 3;
          const { model, params } = languageModel(V, seed);
          const start = seed % V;
          const expected = exhaustive(model, params, start, {
            ...(end !== undefined && { end }),
            V,
            L,
            divisor,
          });
          const options = {
            prompt: [start],
            length: L,
            ...(end !== undefined && { end }),
            ...(lengthPenalty !== undefined && { lengthPenalty }),
          };
          const found = continuations(model, params, { ...options, width: V ** L });
          expect(found).toEqual(near(expected));
          // A width that holds them all is enough.
          const best = continuations(model, params, { ...options, width: expected.length + 9 });
          expect(best[0]).toEqual(found[0]);
        },
      ),
      { numRuns: 12 },
    );
  });
});

test("a width of 1 is greedy, and ends with the first end", () => {
  for (let seed = 1; seed < 20; seed++) {
    const { model, params } = languageModel(5, seed);
    const options = { prompt: [1, 2], length: 6 };
    const greedy = [...generate(model, params, { ...options, temperature: 0 })].flat();
    expect(continuations(model, params, { ...options, width: 1 })[0]!.tokens).toEqual(greedy);
    for (const lengthPenalty of [0, 0.6, (n: number) => n]) {
      const [only] = continuations(model, params, { ...options, width: 1, end: 3, lengthPenalty });
      const at = greedy.indexOf(3);
      expect(only!.ended).toBe(at >= 0);
      expect(only!.tokens).toEqual(at >= 0 ? greedy.slice(0, at) : greedy);
    }
  }
});

/** A search whose step reads a context, and counts its steps in a number for all rows. */
function searched(rows: readonly number[], backend = createBackend()) {
  const options = { dtype: "float64" as const, backend };
  const { model, params } = languageModel(5, 7, backend);
  const shift = tensor(
    rows.map((row) => [Math.sin(row), 0, Math.cos(row), 0, 0.5]),
    options,
  );
  const inUse = backend.memory.bytesInUse;
  const state = { of: initialState(model, rows.length, options), count: tensor(0, options) };
  const before = backend.memory.bytesInUse;
  const use: number[] = [];
  const found = beamSearch({
    step(tokens: Tensor, { of, count }, context: { readonly shift: Tensor }) {
      use.push(backend.memory.bytesInUse);
      const [logits, next] = model.step(params, tokens, of);
      return [logits.add(context.shift.mul(count.add(1))), { of: next, count: count.add(1) }];
    },
    state,
    context: { shift },
    start: rows.map((row) => row % 5),
    end: 4,
    width: 3,
    maxLength: 60,
    lengthPenalty: 0.8,
  });
  return { found, use, kept: backend.memory.bytesInUse - before, state, inUse };
}

test("a batch of examples is each of them alone", () => {
  const rows = [3, 1, 4, 9];
  const { found } = searched(rows);
  expect(found).toHaveLength(4);
  for (const [i, row] of rows.entries()) expect(found[i]).toEqual(near(searched([row]).found[0]!));
  expect(searched(rows).found).toEqual(found);
});

test("memory is that of one step, without a turn of the event loop, and the state given stays", () => {
  const backend = createBackend();
  const { model, params } = languageModel(9, 2, backend);
  const state = initialState(model, 2, { dtype: "float64", backend });
  const before = backend.memory.bytesInUse;
  const use: number[] = [];
  const search = (maxLength: number) =>
    beamSearch({
      step(tokens, from: typeof state) {
        use.push(backend.memory.bytesInUse);
        return model.step(params, tokens, from);
      },
      state,
      start: 0,
      width: 4,
      maxLength,
    });
  search(200);
  expect(new Set(use.slice(2)).size).toBe(1);
  expect(backend.memory.bytesInUse).toBe(before);
  expect(state.upper.h.toArray()).toEqual([
    [0, 0, 0, 0],
    [0, 0, 0, 0],
  ]);
  const failing = () =>
    beamSearch({
      step: (tokens, from: typeof state) => {
        const [logits, next] = model.step(params, tokens, from);
        return [use.push(0) % 7 === 0 ? logits.mul(Number.NaN) : logits, next];
      },
      state,
      start: 0,
      width: 4,
      maxLength: 30,
    });
  expect(failing).toThrow(/^beamSearch: the logit of token 0 in row/);
  expect(backend.memory.bytesInUse).toBe(before);
  expect(searched([1, 2]).kept).toBe(0);
});

test("errors are sentences", () => {
  const { model, params } = languageModel(3, 1);
  const options = {
    step: (tokens: Tensor, state: object) =>
      [
        tokens
          .reshape([-1, 1])
          .cast("float32")
          .mul(tensor([1, 2, 3])),
        state,
      ] as const,
    state: {},
    start: 0,
    width: 2,
    maxLength: 3,
  };
  const search = (other: object) => () => beamSearch({ ...options, ...other } as never);
  expect(search({ width: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: beamSearch: width must be a whole number from 1 to 1048576, got 0]`,
  );
  expect(search({ maxLength: Infinity })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: beamSearch: maxLength must be a whole number from 1 to 16777216, got Infinity]`,
  );
  expect(search({ end: -1 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: beamSearch: end must be a token, a whole number of at least 0, got -1; leave it out where nothing ends]`,
  );
  expect(search({ end: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: beamSearch: end must be a token, a whole number below 3, as there are as many logits, got 3; leave it out where nothing ends]`,
  );
  expect(search({ start: 0.5 })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: beamSearch: start must be a token, a whole number of at least 0, or a list with one for each example, got 0.5]`,
  );
  expect(search({ start: undefined })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: beamSearch: start must be a token, a whole number of at least 0, or a list with one for each example, got undefined]`,
  );
  expect(search({ lengthPenalty: -1 })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: beamSearch: lengthPenalty must be an exponent of at least 0 or a function of the length, got -1]`,
  );
  expect(search({ lengthPenalty: () => 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: beamSearch: lengthPenalty must give a finite number above 0 for every length, got 0 for 1]`,
  );
  expect(search({ beamWidth: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: beamSearch: there is no option "beamWidth". It takes step, state, start, width, maxLength, context, end, lengthPenalty]`,
  );
  expect(search({ step: model })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: beamSearch: step must be a function (tokens, state, context) => [logits, state], got an object]`,
  );
  expect(search({ start: [0, 1], state: { h: tensor([[1]]) } })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: beamSearch: the state "h" [1,1] has 1 row, expected 2; its first axis is that of the examples]`,
  );
  expect(
    search({ context: tensor([[1], [2]]), state: { h: tensor([[1]]) } }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: beamSearch: the context [2,1] has 2 rows, expected 1; its first axis is that of the examples]`,
  );
  expect(search({ step: (tokens: Tensor) => [tokens, {}] })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: beamSearch: a step must put out float logits [2, V], one for each of V tokens in every row, got Tensor int32 [2]; end the model with linear({ input: hidden, output: tokens })]`,
  );
  expect(
    search({
      step: (x: Tensor) => [x.cast("float32").mul(-Infinity).reshape([2, 1]), {}],
      start: 1,
    }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: beamSearch: row 0 has no token that could follow, all 1 logits are -Infinity; leave at least one above it]`,
  );
  expect(search({ step: () => undefined })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: beamSearch: step must return [logits, state], got undefined]`,
  );
  expect(() => beamSearch(undefined as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: beamSearch: options must be an object such as { step: ... }, got null. It takes step, state, start, width, maxLength, context, end, lengthPenalty]`,
  );
  const go = (other: object) => () =>
    continuations(model, params, { prompt: [0], length: 2, width: 2, ...other } as never);
  expect(go({ prompt: [] })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: continuations: the prompt is empty, and the first token is predicted from the last one of the prompt; give at least one, such as a token that stands for the start]`,
  );
  expect(go({ prompt: "ab" })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: continuations: the prompt must be a list of tokens or an int32 tensor, got "ab"]`,
  );
  expect(go({ prompt: [7] })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: gather: index 7 at position 0 is out of range for an axis of length 3; expected 0 to 2]`,
  );
  expect(go({ maxLength: 3 })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: continuations: there is no option "maxLength", did you mean "length"? It takes prompt, length, width, end, lengthPenalty, state]`,
  );
  expect(go({ length: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: continuations: length must be a whole number from 1 to 16777216, got 0]`,
  );
});
