import { scope, Tape, type Tensor } from "@chronograd/autodiff";
import { opTable } from "@chronograd/autodiff/extend";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { drawSample, normal } from "./blocks.ts";
import { Tally, total, values } from "./tally.ts";

/**
 * Where `y = sin(s) + w` the cotangent of y is that of both terms, one tensor in two places; then w
 * gets more from an op, in place where the op knows how.
 */
export const shared: Law = {
  name: "shared",
  statement:
    "a cotangent that is the same tensor in several places is not changed in any of them, nor is one that was given, whatever op adds to it",
  bound: 1e-12,
  measure(seed) {
    const tally = new Tally();
    for (const { name, declaration } of opTable()) {
      for (const sample of declaration.samples) {
        const measure = (i: number, at: number, where: string, result: Tally): void => {
          const inputs = drawSample(sample, at, { kinks: declaration.kinks ?? [] });
          const random = rng(at, "shared");
          const side = normal(random, inputs[i]!.shape);
          const tape = new Tape();
          const watched = tape.watch({ side, w: inputs[i]! });
          const through = (w: Tensor) => sample.call(inputs.with(i, w));
          const sine = watched.side.sin();
          const z = through(watched.w);
          if (!tape.tracks(z) || z.dtype === "int32") return;
          const y = sine.add(watched.w);
          const cotangent = [normal(random, y.shape), normal(random, z.shape)];
          const before = cotangent.map(values);
          const alone = tape.gradient(z, watched.w, { cotangent: cotangent[1]! });
          for (const targets of [
            [y, z],
            [y.mul(1), z, z],
          ] as const) {
            const given = targets.length === 2 ? cotangent : [...cotangent, cotangent[1]!];
            const found = tape.gradient(targets, watched, { cotangent: given });
            const slopes = values(side).map((s, k) => Math.cos(s) * before[0]![k]!);
            result.list(values(found.side), slopes, `${where}: by what shares it`);
            const parts = [before[0]!, ...targets.slice(1).map(() => values(alone))];
            const sum = total(parts.map((w) => ({ w }))).w!;
            result.list(values(found.w), sum, `${where}: by what gets more`);
            for (const [k, u] of cotangent.entries()) {
              result.bits(values(u), before[k]!, `${where}: the cotangent that was given`);
            }
          }
        };
        for (const [i, { integers }] of sample.inputs.entries()) {
          if (integers !== undefined) continue;
          scope(() => measure(i, seed, `${name}, ${sample.label}, input ${i}`, tally));
        }
      }
    }
    return tally;
  },
};
