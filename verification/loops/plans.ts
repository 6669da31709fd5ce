import { createBackend, grad, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import type { Law } from "@chronograd/autodiff/testing";
import { init, rng } from "@chronograd/nn";
import { defineCell, gru, initialParams, unroll } from "@chronograd/rnn";
import { lawOver } from "../lawOver.ts";
import { numbers } from "../tally.ts";
import { between, oneOf } from "../truncation/problem.ts";
import { normal } from "./drawn.ts";

const other = createBackend({ kernels: referenceKernels });

const outlive = lawOver(
  2,
  "plans outlive calls",
  "one cell is called with other steps, rows, dtypes, directions, backends and gradients in between, and each call gives what its steps give",
  1e-3,
  (seed, tally) => {
    const random = rng(seed, "plans");
    const cell = gru({ input: 2, hidden: 3 });
    const params = initialParams(cell, random, { dtype: "float64" });
    for (let call = 0; call < 6; call++) {
      const [T, B] = [between(random, 1, 24), between(random, 1, 2)];
      const backend = oneOf(random, [params.W.backend, other]);
      const dtype = oneOf(random, ["float32", "float64"] as const);
      const place = { backend, dtype };
      const p = tree.map(params, (x: Tensor) =>
        tensor(x.toTypedArray(), { shape: x.shape, ...place }),
      ) as typeof params;
      const x = tensor(normal(random, T, B, 2).toTypedArray(), { shape: [T, B, 2], ...place });
      const reverse = oneOf(random, [false, true]);
      const by = oneOf(random, ["params", "inputs", "both"] as const);
      const gradient = (compile: boolean) =>
        numbers(
          grad((at: { p: typeof params; x: Tensor }) => {
            const own = {
              p,
              x,
              ...(by === "params" ? { p: at.p } : by === "inputs" ? { x: at.x } : at),
            };
            return unroll(cell, own.p, own.x, { compile, reverse }).outputs.sin().sum();
          })({ p, x }),
        );
      const about = `call ${call}, ${JSON.stringify({ T, B, dtype, reverse, by, isOther: backend === other })}:`;
      tally.trees(gradient(true), gradient(false), `${about} gradient by`);
    }
  },
);

/** A cell that takes a number from outside, and what changes it. */
function leaking() {
  let scale = 0.5;
  const cell = defineCell({
    params: () => ({ w: init.constant(0.5, 2) }),
    state: () => ({ h: init.zeros(2) }),
    step: ({ w }, x: Tensor, { h }) => {
      const next = h.mul(w).add(x.mul(scale)).tanh();
      return [next, { h: next }];
    },
  })({ input: 2, hidden: 2 });
  return { cell, change: (by: number) => (scale += by) };
}

const purity = lawOver(
  4,
  "purity",
  "a step that is not what it was is refused: in the next runs of its plans, and when it runs again for a gradient, be it in its outputs or in its state alone",
  0,
  (seed, tally) => {
    const random = rng(seed, "purity");
    const { cell, change } = leaking();
    const params = { w: tensor([0.5, 0.4], { dtype: "float64" }) };
    const x = normal(random, 33, 1, 2);
    const changed = /takes something from outside that has changed/;
    const many = () => {
      for (let n = 0; n < 40; n++) unroll(cell, params, x, { compile: true });
    };
    for (let n = between(random, 1, 5); n > 0; n--) unroll(cell, params, x, { compile: true });
    change(0.25);
    tally.throws(many, changed, "as plans");
    let calls = 0;
    const drifting = (isHidden: boolean) =>
      defineCell({
        params: () => ({ w: init.constant(0.5, 2) }),
        state: () => ({ h: init.zeros(2) }),
        step: ({ w }, input: Tensor, { h }) => {
          const next = h
            .mul(w)
            .add(input)
            .add(1e-9 * calls++);
          return [isHidden ? input : next, { h: next }];
        },
      })({ input: 2, hidden: 2 });
    for (const isHidden of [false, true]) {
      const own = drifting(isHidden);
      const loss = (p: typeof params) => {
        const memory = { steps: between(random, 1, 5) };
        const { outputs, state } = unroll(own, p, x, { memory });
        return outputs.sum().add(state.h.sum());
      };
      const again = /when it was run again for the gradient/;
      tally.throws(() => grad(loss)(params), again, isHidden ? "its state alone" : "its outputs");
    }
  },
);

export const planLaws: readonly Law[] = [outlive, purity];
