import { readFileSync } from "node:fs";
import { createBackend, type Tensor, tensor } from "@chronograd/autodiff";
import { expect, test } from "vitest";
import {
  adagrad,
  adam,
  adamW,
  type GradientTransformation,
  rmsprop,
  sgd,
} from "../../src/index.ts";
import { Run } from "./run.ts";

interface Case {
  optimizer: keyof typeof makers;
  options: never;
  trace: Params[];
}
interface Params {
  W: number[][];
  b: number[];
}

const makers = { sgd, rmsprop, adagrad, adam, adamW };
const pytorch = JSON.parse(
  readFileSync(new URL("../fixtures/pytorch.json", import.meta.url), "utf8"),
) as Params & { gradients: Params[]; optimizers: Case[] };
const cases = pytorch.optimizers.map((each): [string, Case] => [
  `${each.optimizer} ${JSON.stringify(each.options)}`,
  each,
]);

const backend = createBackend();
const float64 = { dtype: "float64", backend } as const;
const onTensors = ({ W, b }: Params) => ({ W: tensor(W, float64), b: tensor(b, float64) });

/** The largest difference relative to the larger of the two and 1. */
function distance(a: Params, b: Params): number {
  const x = [...a.W.flat(), ...a.b];
  const y = [...b.W.flat(), ...b.b];
  return Math.max(...x.map((v, i) => Math.abs(v - y[i]!) / Math.max(1, Math.abs(v))));
}

test.each(cases)(
  "%s follows PyTorch for 12 updates to 1e-12",
  (_label, { optimizer, options, trace }) => {
    const made = new Run(makers[optimizer](options) as GradientTransformation<{ step: Tensor }>);
    let params = onTensors(pytorch);
    pytorch.gradients.forEach((gradients, i) => {
      params = made.update(params, onTensors(gradients));
      const now = { W: params.W.toArray(), b: params.b.toArray() } as Params;
      expect(distance(now, trace[i]!)).toBeLessThan(1e-12);
    });
    expect(made.state!.step.item()).toBe(12);
  },
);
