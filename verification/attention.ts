import { Tape, type Tensor, tensor, where } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { attentionCell, initialParams, unroll } from "@chronograd/rnn";
import { normal } from "./blocks.ts";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";

const cell = attentionCell({ input: 2, hidden: 3, context: 2 });

/** What stands where a row has no position. */
const padding: Law = {
  name: "padding",
  statement:
    "positions that a mask leaves out have weight 0, and reach neither results nor gradients, whatever stands there; a row without any makes no NaN on the way",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    const random = rng(seed, "padding");
    const [B, S] = [random.integer(1, 4), random.integer(1, 5)];
    const drawn = Int32Array.from({ length: B * S }, () => random.integer(0, 2));
    // The last row has no position.
    const mask = tensor(drawn.fill(0, (B - 1) * S), { shape: [B, S] });
    const values = normal(random, [B, S, 2]);
    const rows = [normal(random, [B, 2]), normal(random, [B, 2])];
    const params = initialParams(cell, random, { dtype: "float64" });
    const run = (garbage: number) => {
      const tape = new Tape();
      const given = where(mask.expandDims(-1), values, garbage);
      const watched = tape.watch({ params, rows, values: given });
      const inputs = watched.rows.map((x) => ({ x, context: { values: watched.values, mask } }));
      const { outputs } = unroll(cell, watched.params, inputs);
      const { output, weights } = outputs;
      const loss = output
        .square()
        .sum()
        .add(weights.mul(weights.add(1)).sum());
      const found = garbage === 0 ? tape.findNonFinite(loss, { onlyNaN: true }) : undefined;
      const shown = { output: output.detach(), weights: weights.detach() };
      return { ...shown, gradients: tape.gradient(loss, watched), found };
    };
    const { found, ...clean } = run(0);
    tally.check(found === undefined, () => `NaN on the tape: ${found!.message}`);
    for (const garbage of [Number.NaN, Infinity, -1e300]) {
      const { found: _, ...spoilt } = run(garbage);
      tally.trees(spoilt, clean, `with ${garbage} in the padding:`);
    }
    const out = (x: Tensor) => where(mask.expandDims(-1), 0, x).abs().sum().item();
    tally.add(out(clean.gradients.values), () => "a gradient of the padding is not 0");
    const weights = where(mask, 0, clean.weights).abs().sum().item();
    tally.add(weights, () => "a weight of the padding is not 0");
    return tally;
  },
};

export const attention: Subject = { name: "attention", group: "cells", laws: [padding] };
