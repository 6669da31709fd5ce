import { scope, type Tensor, tensor } from "@chronograd/autodiff";
import { crossEntropy, rng } from "@chronograd/nn";
import { initialParams, initialState } from "@chronograd/rnn";
import { expect, test } from "vitest";
import { heldOutLoss } from "../../src/training/evaluate.ts";
import { modelOf } from "../../src/training/model.ts";
import { stepsOf } from "../../src/training/sequence.ts";
import type { Item, Trained } from "../../src/training/task.ts";

const loss = (logits: Tensor, target: Tensor) =>
  crossEntropy(logits, target, { reduction: "none" });

async function trained(): Promise<Trained> {
  const cell = { cell: "lstm", size: [], export: undefined, hidden: 6, layers: 1 };
  const model = await modelOf(cell, { input: { tokens: 5 }, output: 5 });
  return { model, params: initialParams(model, rng(3), { dtype: "float64" }) as never };
}

const codes = (length: number, rows = 1, seed = 1) => {
  const random = rng(seed, "codes");
  return Array.from({ length }, () =>
    Int32Array.from({ length: rows }, () => random.integer(0, 4)),
  );
};

/** The losses of steps, one after the other by hand: those of each row. */
function byHand({ model, params }: Trained, items: Iterable<Item>): number[][] {
  const losses: number[][] = [];
  let state: never | undefined;
  for (const item of items) {
    for (const { input, target, reset } of stepsOf(item)) {
      if (state === undefined || reset !== undefined) {
        state = initialState(model, (target as Tensor).size, { dtype: "float64" }) as never;
      }
      const [output, next] = scope(() => model.step(params, input, state as never));
      losses.push([...loss(output as Tensor, target as Tensor).toTypedArray()]);
      state = next as never;
    }
  }
  return losses;
}
const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

test("the state is carried through all held-out data", async () => {
  const model = await trained();
  // Longer than what runs at a time, and no multiple of it.
  const text = codes(1500);
  const items = () =>
    text.slice(1).map((target, i) => ({ input: tensor(text[i]!), target: tensor(target) }));
  const losses = byHand(model, items()).flat();
  const whole = heldOutLoss(model, { items, burnIn: 0 }, loss as never);
  expect(whole.tokens).toBe(1499);
  expect(Math.abs(whole.loss - mean(losses))).toBeLessThan(1e-12);
  const late = heldOutLoss(model, { items, burnIn: 1100 }, loss as never);
  expect(late.tokens).toBe(399);
  expect(Math.abs(late.loss - mean(losses.slice(1100)))).toBeLessThan(1e-12);
});

test("rows of sequences begin afresh, and count as far as they go", async () => {
  const model = await trained();
  const sequence = (seed: number, lengths?: readonly number[]) => {
    const rows = codes(7, 2, seed);
    const all = tensor(Int32Array.from(rows.flatMap((row) => [...row])), { shape: [7, 2] });
    return {
      inputs: all.slice([[0, 6]]),
      targets: all.slice([[1, 7]]),
      ...(lengths && { lengths }),
    };
  };
  const items = () => [sequence(1), sequence(2, [6, 2])] as Item[];
  const [first, second] = [byHand(model, [sequence(1)]), byHand(model, [sequence(2)])];
  const counted = [...first.flat(), ...second.map(([a]) => a!), second[0]![1]!, second[1]![1]!];
  const found = heldOutLoss(model, { items, burnIn: 0 }, loss as never);
  expect(found.tokens).toBe(20);
  expect(Math.abs(found.loss - mean(counted))).toBeLessThan(1e-12);
});
