import { grad, hvp, Tape, type Tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { block, matrix } from "./blocks.ts";
import { gradients, law } from "./onTape.ts";

const recorded = law(
  "recorded",
  "a gradient taken with record: true has a gradient of its own, that of nested tapes and of hvp",
  1e-10,
  (random, tally) => {
    const [x, v] = [matrix(random), matrix(random)];
    const body = block(random, 6);
    const f = (z: Tensor) => body(z, z.square()).square().sum();
    const tape = new Tape();
    const watched = tape.watch(x);
    const gradient = tape.gradient(f(watched), watched, { record: true });
    tally.check(tape.tracks(gradient), () => "the recorded gradient is not on the tape");
    tally.trees(gradient, grad(f)(x), "recorded gradient by");
    const nested = grad((z: Tensor) => grad(f)(z).mul(v).sum())(x);
    const found = tape.gradient(gradient, watched, { cotangent: v });
    tally.trees(found, nested, "gradient of the recorded gradient by");
    tally.trees(hvp(f, x, v), nested, "hvp by");
  },
);

const nesting = law(
  "nesting",
  "two tapes that watch the same value give the same gradients, whichever was opened or watched first",
  1e-12,
  (random, tally) => {
    const [x, u] = [matrix(random), matrix(random)];
    const f = block(random);
    const [expected] = gradients((z) => f(z, z), [x], u);
    const [partial] = gradients((z) => f(z, x), [x], u);
    for (const order of ["earlier", "later"] as const) {
      const [one, two] = [new Tape(), new Tape()];
      const [inner, outer] = order === "earlier" ? [one, two] : [two, one];
      const within = inner.watch(x);
      const both = outer.watch(within);
      const y = f(both, both);
      // Both tapes track one operand; only the inner tape tracks the other.
      const mixed = f(both, within);
      for (const [name, tape, by, first] of [
        ["inner", inner, within, expected],
        ["outer", outer, both, partial],
      ] as const) {
        const where = `${name} tape, the ${order} watches first: by`;
        tally.trees(tape.gradient(y, by, { cotangent: u }), expected, where);
        tally.trees(tape.gradient(mixed, by, { cotangent: u }), first, `mixed, ${where}`);
      }
      // d/dx of u' J(x) u by the other tape.
      const gradient = inner.gradient(y, within, { cotangent: u });
      if (order === "earlier" || !outer.tracks(gradient)) continue;
      const second = outer.gradient(gradient, both, { cotangent: u });
      const nested = grad((z: Tensor) => {
        return grad((t: Tensor) => f(t, t).mul(u).sum())(z)
          .mul(u)
          .sum();
      })(x);
      tally.trees(second, nested, "the gradient's own gradient, on the earlier tape: by");
    }
  },
);

/** What holds for several tapes at once, and for recorded sweeps. */
export const levelLaws: readonly Law[] = [recorded, nesting];
