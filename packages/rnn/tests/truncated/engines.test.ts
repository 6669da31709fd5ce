import { scope, type Tensor } from "@chronograd/autodiff";
import fc from "fast-check";
import { expect, test } from "vitest";
import { initialState } from "../../src/index.ts";
import { chooseEngine } from "../../src/truncated/engines/choosing.ts";
import { localWindow } from "../../src/truncated/estimators/estimator.ts";
import { Source } from "../../src/truncated/source.ts";
import type { Owned, TimeStep } from "../../src/truncated/step.ts";
import { type AnyState, byDefinition, distance, numbers, problem } from "./setup.ts";

const ofWindows = { losses: "new", multiplicity: false, burnIn: 0 } as const;
const settings = fc.record({
  name: fc.constantFrom("elman", "lstm", "gru"),
  begin: fc.nat(6),
  T: fc.integer({ min: 1, max: 9 }),
  k1: fc.integer({ min: 1, max: 4 }),
  more: fc.oneof(fc.nat(6), fc.constant(Infinity)),
  compile: fc.boolean(),
});

test("an engine that begins at any step sweeps windows that begin there at the earliest", () => {
  fc.assert(
    fc.property(settings, ({ name, begin, T, k1, more, compile }) => {
      scope(() => {
        const k2 = k1 + more;
        const p = problem(name, begin + T, begin + T);
        let state = initialState(p.cell, 2, { dtype: "float64" }) as AnyState;
        for (const { input } of p.steps.slice(0, begin)) {
          [, state] = p.cell.step(p.params, input, state);
        }
        const options = { where: "a test", loss: p.loss, k1, k2, compile };
        const engine = chooseEngine(p.cell, options, state, begin);
        const source = new Source<Tensor, Tensor>("a test", p.steps.slice(begin));
        try {
          for (let end = begin; end < begin + T; ) {
            const newFrom = end;
            end = Math.min(end + k1, begin + T);
            const losses: number[] = [];
            while (engine.t < end) {
              const steps: Owned<TimeStep>[] = [];
              source.fill(steps, engine.stepsAtOnce).next();
              losses.push(...engine.take(p.params, steps));
            }
            const window = localWindow(engine, { k1, k2, ...ofWindows }, losses);
            const start = Math.max(begin, end - k2);
            expect([window.start, window.newFrom, window.end]).toEqual([start, newFrom, end]);
            const [gradients] = window.gradients(1, false).gradients;
            const weight = (t: number) => (t > newFrom ? 1 : 0);
            expect(distance(numbers(gradients), byDefinition(p, start, end, weight))).toBeLessThan(
              1e-10,
            );
            const { squares } = window.gradients(1, true);
            expect(squares).toHaveLength(end - start);
          }
        } finally {
          engine.end();
        }
      });
    }),
    { numRuns: 60 },
  );
});
