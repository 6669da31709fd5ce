import { jvp, scope, Tape, type Tensor, tree } from "@chronograd/autodiff";
import {
  type CompositeDeclaration,
  type OpDeclaration,
  opTable,
  type Sample,
} from "@chronograd/autodiff/extend";
import { liveView } from "@chronograd/autodiff/ndarray";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { drawSample, normal } from "./blocks.ts";
import { Tally, values } from "./tally.ts";

/** The words of the error for a value that was changed although a rule still needs it. */
const guard = /was changed through a live view/;

/**
 * Changes every element, each by another amount; whole numbers stay what they are and within their
 * range.
 */
function disturb(x: Tensor): void {
  const { data } = liveView(x);
  const start = liveView(x).offset;
  for (let i = start; i < start + x.size; i++) {
    const value = data.get(i);
    const next =
      x.dtype === "int32" ? (value === 0 ? 1 : value - 1) : value + 0.11 * (i - start + 1);
    data.set(i, next);
  }
}

type Declared = { readonly declaration: OpDeclaration | CompositeDeclaration };

function kinksOf({ declaration }: Declared): { kinks: readonly number[] } {
  return { kinks: declaration.kinks ?? [] };
}

/** A call on a tape, and what flows back. */
function recorded(sample: Sample, row: Declared, seed: number) {
  const inputs = drawSample(sample, seed, kinksOf(row));
  const tape = new Tape();
  const watched = tape.watch(inputs) as Tensor[];
  const y = sample.call(watched);
  const isFlowing = tape.tracks(y) && y.dtype !== "int32";
  const cotangent = normal(rng(seed, "cotangent"), y.shape);
  const sweep = () => {
    const found = tape.gradientIfReached(y, watched, { cotangent });
    return [...found.values()].flatMap(values);
  };
  /** Every tensor that an entry holds, except those made from numbers, which nobody else has. */
  const held = [...tape.entries].flatMap(({ inputs: read, ids, output }) => [
    ...read.filter((x, i) => ids[i] !== -1 || x.rank > 0),
    output,
  ]);
  return { isFlowing, sweep, held };
}

function checkHeld(sample: Sample, row: Declared, seed: number, where: string, tally: Tally): void {
  const count = scope(() => {
    const { isFlowing, held } = recorded(sample, row, seed);
    return isFlowing ? held.length : 0;
  });
  for (let k = 0; k < count; k++) {
    scope(() => {
      const { held, sweep } = recorded(sample, row, seed);
      const before = sweep();
      if (held[k]!.size === 0) return;
      disturb(held[k]!);
      let after: number[];
      try {
        after = sweep();
      } catch (error) {
        return tally.check(guard.test(String(error)), () => `${where}: ${String(error)}`);
      }
      tally.bits(after, before, `${where}: after a change of ${held[k]}`);
    });
  }
}

const backwards: Law = {
  name: "kept",
  statement:
    "any value that an entry holds may change after it was recorded: the gradient is what it was, or an error",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    for (const row of opTable()) {
      for (const sample of row.declaration.samples) {
        checkHeld(sample, row, seed, `${row.name}, ${sample.label}`, tally);
      }
    }
    return tally;
  },
};

const forwards: Law = {
  name: "kept, forward",
  statement: "the same of tangents, where a function changes its own inputs after it used them",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    for (const row of opTable()) {
      const sample = row.declaration.samples.find(({ inputs }) =>
        inputs.every((x) => x.integers === undefined),
      );
      if (sample === undefined) continue;
      scope(() => {
        const inputs = drawSample(sample, seed, kinksOf(row));
        const random = rng(seed, "tangent");
        const tangents = tree.map(inputs, (x: Tensor) => normal(random, x.shape));
        const pushed = (after: () => void) => {
          const f = (xs: Tensor[]) => {
            const y = sample.call(xs);
            after();
            return y;
          };
          const [, dy] = jvp(f as never, inputs as never, tangents as never);
          return tree.leavesWithPath(dy).flatMap(([, y]) => values(y));
        };
        const before = pushed(() => {});
        let after: number[];
        try {
          after = pushed(() => inputs.filter(({ size }) => size > 0).forEach(disturb));
        } catch (error) {
          return tally.check(guard.test(String(error)), () => `${row.name}: ${String(error)}`);
        }
        tally.bits(
          after,
          before,
          `${row.name}, ${sample.label}: tangent after a change of its inputs`,
        );
      });
    }
    return tally;
  },
};

/** What a tape guarantees about recorded values that are changed later. */
export const keptLaws: readonly Law[] = [backwards, forwards];
