import { type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { largest, Tally } from "../tally.ts";
import { type Case, draw, gradientOf, law, results, run, type Subject } from "./subject.ts";

/** How far arguments move: a rounding to float32, relative to each. */
const rounding = 2 ** -24;

/**
 * float32 gives what float64 gives for the same numbers, up to rounding.
 *
 * Errors are relative to the largest element, or else to how far elements move when every argument
 * moves by one rounding, times 2^20: no arithmetic can do better for a case that is so
 * ill-conditioned, such as a normalisation over two units that are nearly equal. A move of less
 * than 16 roundings of the largest element counts for nothing.
 */
export function singlePrecision(subject: Subject): Law {
  const { cell, float32 } = subject;
  return law(
    "float32",
    "results and gradients in float32 are near those in float64 of the same numbers",
    float32,
    (seed) => {
      const single = cast(draw(subject, seed), "float32");
      const double = cast(single, "float64");
      const measured = [
        { where: "in float32, ", of: (drawn: Case) => floats(results(run(cell, drawn))) },
        // A gradient adds up many terms, so its rounding is measured by the largest.
        {
          where: "the float32 gradient by ",
          of: (drawn: Case) => floats(gradientOf(cell, drawn, seed)),
        },
      ].map(({ where, of }) => ({ where, of, rounded: of(single), exact: of(double) }));
      const compared = (isConditioned: boolean) => {
        const tally = new Tally();
        for (const [path, x] of Object.entries(measured[0]!.rounded)) {
          tally.check(x.dtype === "float32", () => `${path} is ${x.dtype}, from float32 arguments`);
        }
        for (const { where, of, rounded, exact } of measured) {
          const moved = isConditioned ? movement(of, double, exact, seed) : 0;
          tally.trees(rounded, exact, where, Math.max(largestOf(exact), moved * 2 ** 20));
        }
        return tally;
      };
      const plain = compared(false);
      return plain.error <= float32 ? plain : compared(true);
    },
  );
}

/** How far elements move when every argument moves up or down by one rounding, in four draws. */
function movement(of: (drawn: Case) => Floats, drawn: Case, exact: Floats, seed: number): number {
  let most = 0;
  for (let i = 0; i < 4; i++) {
    const random = rng(seed, `rounding ${i}`);
    const nudged = tree.map(drawn, (x: Tensor) => {
      if (x.dtype === "int32") return x;
      const signs = Float64Array.from({ length: x.size }, () => 2 * random.integer(0, 2) - 1);
      return x.add(x.mul(tensor(signs, { shape: x.shape }).mul(rounding)));
    }) as Case;
    for (const [path, x] of Object.entries(of(nudged))) {
      const before = exact[path]!;
      most = Math.max(most, largest(x.sub(before).toTypedArray()));
    }
  }
  return most;
}

function cast(drawn: Case, dtype: "float32" | "float64"): Case {
  return tree.map(drawn, (x: Tensor) => (x.dtype === "int32" ? x : x.cast(dtype))) as Case;
}

type Floats = Readonly<Record<string, Tensor>>;

const largestOf = (values: Floats): number =>
  Math.max(0, ...Object.values(values).map((x) => largest(x.toTypedArray())));

/** The float tensors of a tree by path: whole numbers may jump. */
function floats(values: unknown): Floats {
  return Object.fromEntries(tree.leavesWithPath(values).filter(([, x]) => x.dtype !== "int32"));
}
