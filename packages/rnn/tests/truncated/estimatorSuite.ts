// What every estimator must do, whatever its gradients are.
import { createBackend, type Tensor, tensor } from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { describe, expect, test } from "vitest";
import {
  defineCell,
  initialParams,
  type StreamOptions,
  type TimeStep,
  type Values,
  type Window,
} from "../../src/index.ts";

/** x_t = w x_{t-1}, x_0 = 0.9; with the loss x_t, dx_t/dw = t w^{t-1} x_0. */
const definition = {
  params: () => ({ w: init.constant(0.2) }),
  state: () => ({ x: init.constant(0.9, 1) }),
  step: ({ w }: { w: Tensor }, _: Tensor, { x }: { x: Tensor }): [Tensor, { x: Tensor }] => {
    const next = w.mul(x);
    return [next, { x: next }];
  },
};
export const line = defineCell(definition)({ input: 1, hidden: 1 });
export const stateAt = (t: number): number => 0.9 * 0.2 ** t;
export type Line = typeof line;
export type Params = Line["params"];
export type State = Line["state"];

/** A public function of the estimator, its own options filled in: windows of 2 new steps, say. */
export type Start = (
  cell: Line,
  params: Values<Params>,
  stream: Iterable<TimeStep>,
  options: StreamOptions<State>,
) => Iterable<Window<Values<Params>, Values<State>>>;

type Failure = "stream" | "step" | "loss" | "body";

/**
 * Runs over 7 steps, of which the sixth may fail, the second of its window; gives the losses, and
 * the bytes left behind.
 */
function run(start: Start, failure?: Failure, leaveAt = Infinity) {
  const backend = createBackend();
  const params = initialParams(line, rng(1), { backend, dtype: "float64" });
  let t = 0;
  let isTorn = false;
  const fail = (what: Failure) => {
    if (isTorn && what === failure && t >= 6) throw new Error(`the ${what} is torn`);
  };
  function* stream(): Generator<TimeStep> {
    for (t = 1; t <= 7; t++) {
      fail("stream");
      yield { input: tensor([[t]], { backend }), target: tensor([[t]], { backend }) };
    }
  }
  const cell: Line = {
    ...line,
    step: (...given) => {
      fail("step");
      return line.step(...given);
    },
  };
  const loss = (x: Tensor): Tensor => {
    fail("loss");
    return x.mul(1);
  };
  // Plans stay with the cell and the loss.
  for (const _ of start(cell, params, stream(), { loss }));
  isTorn = true;
  const held = backend.memory.bytesInUse;
  const losses: number[] = [];
  let message = "";
  try {
    for (const window of start(cell, params, stream(), { loss })) {
      losses.push(...window.losses);
      fail("body");
      if (losses.length >= leaveAt) break;
    }
  } catch (error) {
    message = (error as Error).message;
  }
  return { losses, message, left: backend.memory.bytesInUse - held };
}

/** @param runsSteps whether it calls the cell and the loss, so that their errors come out */
export function estimatorSuite(name: string, start: Start, runsSteps = true): void {
  describe(name, () => {
    test("reports the loss of each step once", () => {
      const { losses } = run(start);
      expect(losses).toHaveLength(7);
      for (const [i, x] of losses.entries()) expect(x).toBeCloseTo(stateAt(i + 1), 12);
    });
    test("returns all memory at the end, and when its loop is left", () => {
      expect(run(start).left).toBe(0);
      expect(run(start, undefined, 1).left).toBe(0);
    });
    test.each(["stream", "step", "loss", "body"] as const)(
      "returns all memory when the %s throws",
      (failure) => {
        const { message, left } = run(start, failure);
        if (runsSteps || failure === "stream" || failure === "body") {
          expect(message).toMatch(`the ${failure} is torn`);
        }
        expect(left).toBe(0);
      },
    );
  });
}
