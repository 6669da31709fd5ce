import { scope, Tape, type Tensor, tree } from "@chronograd/autodiff";
import { applyUpdates, sgd } from "@chronograd/nn";
import fc from "fast-check";
import { expect, test } from "vitest";
import { initialState, truncated, unroll } from "../../src/index.ts";
import { type AnyParams, type AnyState, distance, numbers, problem, updater } from "./setup.ts";

const settings = fc.record({
  name: fc.constantFrom("elman", "lstm", "gru"),
  T: fc.integer({ min: 1, max: 11 }),
  seed: fc.nat(10_000),
  k1: fc.integer({ min: 1, max: 4 }),
  more: fc.nat(6),
});
const learningRate = 0.05;
const runs = { numRuns: 25 };

/** One step of plain gradient descent, by hand. */
function descend(params: AnyParams, gradients: AnyParams): AnyParams {
  return tree.zip(params, gradients, (p, g) => p.sub(g.mul(learningRate))) as AnyParams;
}

test("carry sweeps the overlap with the weights of the time when it was recorded", () => {
  fc.assert(
    fc.property(settings, ({ name, T, seed, k1, more }) => {
      scope(() => {
        const k2 = k1 + more;
        const p = problem(name, T, seed);
        let params = p.params;
        const update = updater(sgd({ learningRate }), params);
        /** The weights that each step was first run with. */
        const weights: AnyParams[] = [];
        const stream = truncated(p.cell, () => params, p.steps, { k1, k2, loss: p.loss });
        for (let j = 0; j * k1 < T; j++) {
          const used = tree.map(params, (x: Tensor) => x.clone()) as AnyParams;
          const end = Math.min((j + 1) * k1, T);
          for (let t = j * k1 + 1; t <= end; t++) weights.push(used);
          const window = stream.next().value!;
          // By definition: each generation of weights is a variable of its own; their gradients add
          // up.
          const expected = scope(() => {
            const start = Math.max(0, end - k2);
            let state = initialState(p.cell, 2, { dtype: "float64" });
            for (let t = 1; t <= start; t++) {
              [, state] = p.cell.step(weights[t - 1]!, p.steps[t - 1]!.input, state);
            }
            const tape = new Tape();
            const generations = new Map(
              [...new Set(weights.slice(start))].map((w) => [w, tape.watch(w) as AnyParams]),
            );
            const losses: Tensor[] = [];
            for (let t = start + 1; t <= end; t++) {
              const { input, target } = p.steps[t - 1]!;
              const [y, next] = p.cell.step(generations.get(weights[t - 1]!)!, input, state);
              state = next;
              if (t > j * k1) losses.push(p.loss(y, target).sum());
            }
            const parts = tape.gradient(losses, [
              ...generations.values(),
            ]) as unknown as AnyParams[];
            return numbers(parts.reduce((a, b) => tree.zip(a, b, (x, y) => x.add(y)) as AnyParams));
          });
          expect(distance(numbers(window.gradients), expected)).toBeLessThan(1e-12);
          params = update(params, window.gradients);
        }
        expect(stream.next().done).toBe(true);
      });
    }),
    runs,
  );
});

test("recompute reruns the overlap from the stored state with today's weights", () => {
  fc.assert(
    fc.property(settings, ({ name, T, seed, k1, more }) => {
      scope(() => {
        const k2 = k1 + more;
        const p = problem(name, T, seed);
        let params = p.params;
        const states = new Map<number, AnyState>([
          [0, initialState(p.cell, 2, { dtype: "float64" })],
        ]);
        const stream = truncated(p.cell, () => params, p.steps, {
          k1,
          k2,
          loss: p.loss,
          stale: "recompute",
        });
        for (const window of stream) {
          const { start, end, newFrom } = window;
          const tape = new Tape();
          const watched = tape.watch(params) as AnyParams;
          let state = states.get(start)!;
          const losses: Tensor[] = [];
          for (let t = start + 1; t <= end; t++) {
            const { input, target } = p.steps[t - 1]!;
            const [y, next] = p.cell.step(watched, input, state);
            state = next;
            states.set(t, tree.map(next, (x: Tensor) => x.detach().clone()) as AnyState);
            if (t > newFrom) losses.push(p.loss(y, target).sum());
          }
          const expected = numbers(tape.gradient(losses, watched));
          expect(distance(numbers(window.gradients), expected)).toBeLessThan(1e-12);
          expect(window.losses.reduce((a, b) => a + b, 0)).toBeCloseTo(
            losses.reduce((sum, l) => sum + l.item(), 0),
            10,
          );
          params = descend(params, window.gradients as AnyParams);
        }
      });
    }),
    runs,
  );
});

test("an optimizer's update reaches the stream without a word, as a function of parameters does", () => {
  const run = (explicit: boolean): number[] => {
    const p = problem("lstm", 12, 5);
    let params = p.params;
    const update = updater(sgd({ learningRate }), params);
    const losses: number[] = [];
    const source = explicit ? () => params : params;
    for (const window of truncated(p.cell, source, p.steps, { k1: 2, k2: 5, loss: p.loss })) {
      losses.push(...window.losses);
      params = update(params, window.gradients);
    }
    return losses;
  };
  const found = run(false);
  expect(found).toEqual(run(true));
  const frozen = problem("lstm", 12, 5);
  const { outputs } = unroll(
    frozen.cell,
    frozen.params,
    frozen.steps.map((s) => s.input),
  );
  const last = outputs.slice([-1]).sub(frozen.steps.at(-1)!.target).square();
  expect(found.at(-1)).not.toBeCloseTo(last.sum().item(), 6);
});

test("an update of one's own reaches the stream through applyUpdates", () => {
  const run = (own: boolean): number[] => {
    const p = problem("gru", 12, 7);
    let params = p.params;
    const update = updater(sgd({ learningRate }), params);
    return Array.from(
      truncated(p.cell, params, p.steps, { k1: 2, k2: 5, loss: p.loss }),
      ({ gradients, loss }) => {
        params = (
          own
            ? applyUpdates(
                params,
                tree.map(gradients, (g: Tensor) => g.mul(-learningRate)) as AnyParams,
              )
            : update(params, gradients)
        ) as AnyParams;
        return loss;
      },
    );
  };
  const [mine, theirs] = [run(true), run(false)];
  for (const [i, loss] of theirs.entries()) expect(mine[i]!).toBeCloseTo(loss, 12);
});
