import { createBackend, scope, Tape, tensor } from "@chronograd/autodiff";
import { embedding, linear, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import { generate, sampler } from "../../src/decode.ts";
import {
  bidirectional,
  elman,
  initialParams,
  initialState,
  learnedState,
  minGru,
  sequential,
  variationalDropout,
} from "../../src/index.ts";
import { languageModel } from "./setup.ts";

const { model, params } = languageModel(7, 3);
const own = { dtype: "float64" } as const;

/** The same by calling `step`. */
function byHand(prompts: readonly (readonly number[])[], length: number, temperature: number) {
  const sample = sampler({ temperature });
  const random = rng(4, "sample");
  let state = initialState(model, prompts.length, own);
  const [first] = prompts;
  const read = (t: number) =>
    tensor(
      prompts.map((row) => row[t]!),
      { dtype: "int32" },
    );
  let x = read(0);
  const tokens: number[][] = [];
  for (let t = 0; t < first!.length - 1 + length; t++) {
    const [logits, next] = model.step(params, x, state);
    state = next;
    if (t + 1 < first!.length) x = read(t + 1);
    else {
      x = sample(logits, random);
      tokens.push(x.toArray() as number[]);
    }
  }
  return { tokens, state };
}

describe("equals stepping by hand", () => {
  test.each([
    [[[3]]],
    [[[1, 2, 3, 4]]],
    [
      [
        [1, 2, 3],
        [0, 0, 6],
        [5, 5, 5],
      ],
    ],
  ])("%j", (prompts) => {
    for (const temperature of [0, 0.6, 1.5]) {
      const { tokens, state } = byHand(prompts, 9, temperature);
      const steps = prompts[0]!.map((_, t) => prompts.map((row) => row[t]!));
      const prompt = tensor(steps, { dtype: "int32" });
      const all = generate(model, params, {
        prompt,
        length: 9,
        temperature,
        rng: rng(4, "sample"),
      });
      const found: number[][] = [];
      let each = all.next();
      for (; each.done !== true; each = all.next()) found.push(each.value);
      expect(found).toEqual(tokens);
      expect(each.value.upper.c.toArray()).toEqual(state.upper.c.toArray());
    }
  });
});

test("one prompt for all rows, as a list or a tensor", () => {
  const prompt = [1, 2, 3];
  const options = { length: 8, rows: 3 };
  const draw = (given: number[] | ReturnType<typeof tensor>) => [
    ...generate(model, params, { ...options, prompt: given, rng: rng(2) }),
  ];
  const found = draw(prompt);
  expect(found.every((row) => row.length === 3)).toBe(true);
  expect(draw(tensor(prompt, { dtype: "int32" }))).toEqual(found);
  expect(
    draw(
      tensor(
        prompt.map((x) => [x, x, x]),
        { dtype: "int32" },
      ),
    ),
  ).toEqual(found);
  // The rows differ, because each has a draw of its own.
  expect(new Set([0, 1, 2].map((row) => found.map((step) => step[row]).join())).size).toBe(3);
});

test("it goes on from the state that it returns", () => {
  const random = rng(8);
  const whole = [...generate(model, params, { prompt: [1, 2], length: 10, rng: rng(8) })].flat();
  const first = generate(model, params, { prompt: [1, 2], length: 4, rng: random });
  const found: number[] = [];
  let each = first.next();
  for (; each.done !== true; each = first.next()) found.push(...each.value);
  const rest = { prompt: [found.at(-1)!], length: 6, rng: random, state: each.value };
  found.push(...[...generate(model, params, rest)].flat());
  expect(found).toEqual(whole);
  // The state is not released: it may be used twice.
  expect([...generate(model, params, { ...rest, rng: rng(1) })]).toHaveLength(6);
});

test("length 0 draws nothing, and returns the state before the last token of the prompt", () => {
  const all = generate(model, params, { prompt: [1, 2], length: 0 });
  const { value, done } = all.next();
  const [, state] = model.step(
    params,
    tensor([1], { dtype: "int32" }),
    initialState(model, 1, own),
  );
  expect(done).toBe(true);
  expect((value as typeof state).upper.h.toArray()).toEqual(state.upper.h.toArray());
});

test("any cell runs: learned states, noise, and cells that are linear in time", () => {
  const other = sequential({
    embedding: embedding({ input: 5, output: 3 }),
    noisy: variationalDropout(elman({ input: 3, hidden: 3 }), { rate: 0.5 }),
    learned: learnedState(minGru({ input: 3, hidden: 4 })),
    head: linear({ input: 4, output: 5 }),
  });
  const drawn = initialParams(other, rng(1));
  const options = { prompt: [0], length: 20, rows: 2, temperature: 0.5 };
  const draw = () => [...generate(other, drawn, { ...options, rng: rng(1) })];
  expect(draw()).toEqual(draw());
  expect(
    draw()
      .flat()
      .every((token) => token >= 0 && token < 5),
  ).toBe(true);
});

describe("memory", () => {
  const setup = () => {
    const backend = createBackend();
    return { ...languageModel(7, 3, backend), memory: backend.memory };
  };

  test("only the present state is held, without a turn of the event loop", () => {
    const { memory, ...language } = setup();
    const before = memory.bytesInUse;
    const use: number[] = [];
    const options = { prompt: [1, 2, 3], length: 300, rng: rng(1) };
    for (const _ of generate(language.model, language.params, options)) use.push(memory.bytesInUse);
    expect(new Set(use).size).toBe(1);
    // Of the state that it returned nobody holds more than the collector.
    const endless = { prompt: [1], length: Infinity, rng: rng(1) };
    const held = memory.bytesInUse;
    for (const [token] of generate(language.model, language.params, endless))
      if (token === 0) break;
    expect(memory.bytesInUse).toBe(held);
    expect(held - before).toBe(use[0]! - before);
  });

  test("it goes on where a scope ends between two tokens, and what it returns is the scope's", () => {
    const { memory, ...language } = setup();
    const before = memory.bytesInUse;
    const options = { prompt: [1], length: 3, rng: rng(1) };
    const all = generate(language.model, language.params, options);
    for (let i = 0; i < 4; i++) scope(() => void all.next());
    expect(memory.bytesInUse).toBe(before);
  });

  test("nothing is recorded on a tape that watches the parameters", () => {
    const tape = new Tape();
    const watched = tape.watch(params);
    const { entries } = tape.stats();
    const options = { prompt: [1], length: 5, rng: rng(1) };
    expect([...generate(model, watched, options)]).toEqual([
      ...generate(model, params, { ...options, rng: rng(1) }),
    ]);
    expect(tape.stats().entries).toEqual(entries);
  });
});

test("errors are sentences", () => {
  const go = (options: object) => () =>
    generate(model, params, { prompt: [1], length: 2, rng: rng(1), ...options } as never).next();
  expect(go({ prompt: [] })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: generate: the prompt is empty, and the first token is predicted from the last one of the prompt; give at least one, such as a token that stands for the start]`,
  );
  expect(go({ prompt: "abc" })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: generate: the prompt must be a list of tokens or an int32 tensor, got "abc"]`,
  );
  expect(go({ prompt: [1, 0.5] })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: generate: token 1 of the prompt must be a whole number, got 0.5; encode text before]`,
  );
  expect(go({ prompt: tensor([1, 2]) })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: generate: the prompt must be tokens, int32 [T] or [T, rows], got Tensor float32 [2]]`,
  );
  expect(
    go({ prompt: tensor([[1, 2]], { dtype: "int32" }), rows: 3 }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: generate: the prompt must be tokens, int32 [T] or [T, 3], got Tensor int32 [1,2]]`,
  );
  expect(go({ length: -1 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: generate: length must be a whole number of tokens of at least 0, or Infinity, got -1]`,
  );
  expect(go({ length: undefined })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: generate: length must be a whole number of tokens of at least 0, or Infinity, got undefined]`,
  );
  expect(go({ rows: 0 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: generate: rows must be a whole number of at least 1, got 0]`,
  );
  expect(go({ temprature: 1 })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: generate: there is no option "temprature", did you mean "temperature"? It takes prompt, length, rng, state, rows, temperature, topK, nucleus]`,
  );
  expect(go({ temperature: -1 })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: sampler: temperature must be a finite number of at least 0, 0 for the likeliest token, got -1]`,
  );
  expect(go({ rng: undefined })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: generate: rng must be a generator to draw from, such as rng(1, "sample"), got undefined; it may be left out with temperature: 0]`,
  );
  expect(go({ state: {} })).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: generate: the state must have the tensors of the cell's state, lower.h, upper.h, upper.c, got none; initialState(cell, batch) has them]`,
  );
  expect(go({ rows: 3, state: initialState(model, 2, own) })).toThrowErrorMatchingInlineSnapshot(
    `[RangeError: cell: the input [3] has 3 rows, and the state "lower.h" [2,4] has 2; give both one row for each sequence of the batch]`,
  );
  expect(() => generate(model, params, undefined as never)).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: generate: options must be an object such as { prompt: ... }, got null. It takes prompt, length, rng, state, rows, temperature, topK, nucleus]`,
  );
  const plain = elman({ input: 1, hidden: 1 });
  expect(() =>
    generate(plain, initialParams(plain, rng(1)), {
      prompt: [1],
      length: 1,
      temperature: 0,
    }).next(),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: matmul: argument a is int32 [1,1], expected float32 or float64; convert it with cast(x, "float32")]`,
  );
  const both = bidirectional(elman({ input: 1, hidden: 1 }));
  expect(() =>
    generate(both as never, {} as never, { prompt: [1], length: 1 }),
  ).toThrowErrorMatchingInlineSnapshot(
    `[TypeError: generate: a model of whole sequences, as bidirectional makes one, has no step of its own, because a step would need later inputs; generate with a model whose every part has a step]`,
  );
});
