import { Tape } from "../../tape.ts";
import { isFloat } from "../../tensor/dtype.ts";
import { liveView } from "../../tensor/ndarray.ts";
import { scope } from "../../tensor/scope.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { describeTensor } from "../../tensor/text.ts";
import { leavesWithPath, type MapTree } from "../../tensor/tree.ts";
import { checkGradients } from "../checkGradients.ts";
import { checkTape } from "../checkTape.ts";
import { randomVector } from "../function.ts";
import type { Law } from "../law.ts";
import {
  type Case,
  compare,
  compareParts,
  flattened,
  inputAt,
  type LawOptions,
  lawOf,
  product,
  rounding,
  same,
  worse,
} from "./case.ts";

/** Laws of first derivatives. */
export function firstOrderLaws<T>(
  cases: readonly Case<T>[],
  { dtype = "float64" }: LawOptions = {},
): Law[] {
  const law = (
    name: string,
    statement: string,
    bound: number,
    measure: Parameters<typeof lawOf<Case<T>>>[2],
  ): Law => lawOf(cases, { name, statement, bound }, (c, seed) => scope(() => measure(c, seed)));
  const flat = (c: Case<T>, seed: number) => flattened(c, seed, dtype);
  const laws = [
    law(
      "adjoint",
      "<u, J v> = <J' u, v>: reverse and forward mode agree",
      rounding(dtype),
      (c, seed) => {
        const f = flat(c, seed);
        const [u, v] = [randomVector(f.outputs, seed + 1), randomVector(f.x.length, seed + 2)];
        const jv = f.pushed(v);
        if (jv === undefined) return undefined;
        const ju = f.pulled((pullback) => pullback(u));
        const [left, right] = [product(ju, v), product(u, jv)];
        // A derivative of 0 is 0 up to the rounding of the values.
        const zero = 1e-3 * product(u, f.at(f.x)).size;
        const scale = Math.max(left.size, right.size, zero);
        return compare([left.sum], [right.sum], () => "<J' u, v> beside <u, J v>", scale);
      },
    ),
    law("linear", "J'(a u + b w) = a J'u + b J'w", rounding(dtype), (c, seed) => {
      const f = flat(c, seed);
      const [u, w] = [randomVector(f.outputs, seed + 1), randomVector(f.outputs, seed + 2)];
      const [a, b] = [1.75, -0.5];
      return f.pulled((pullback) => {
        const [ju, jw] = [pullback(u), pullback(w)];
        const both = pullback(u.map((x, i) => a * x + b * w[i]!));
        const expected = ju.map((x, i) => a * x + b * jw[i]!);
        return compareParts(f.inputParts, both, expected, (i) => inputAt(f, i));
      });
    }),
    law("deterministic", "the same inputs give the same values and gradients", 0, (c, seed) => {
      const f = flat(c, seed);
      const u = randomVector(f.outputs, seed + 1);
      const [one, two] = f.pulled((pullback) => [pullback(u), pullback(u)] as const);
      const other = f.pulled((pullback) => pullback(u));
      return worse(
        worse(
          same(f.at(f.x), f.at(f.x), "value of a second run"),
          same(two, one, "gradient of a second sweep"),
        ),
        same(other, one, "gradient on a second tape"),
      );
    }),
    law(
      "accumulates",
      "a value used twice gets the sum of both gradients",
      rounding(dtype),
      (c, seed) => {
        const f = flat(c, seed);
        const twice: Case<T> = { ...c, f: (x) => [c.f(x), c.f(x)] };
        const [u, w] = [randomVector(f.outputs, seed + 1), randomVector(f.outputs, seed + 2)];
        const both = flat(twice, seed).pulled((pullback) => pullback(Float64Array.of(...u, ...w)));
        const [ju, jw] = f.pulled((pullback) => [pullback(u), pullback(w)] as const);
        const expected = ju.map((x, i) => x + jw[i]!);
        return compareParts(f.inputParts, both, expected, (i) => inputAt(f, i));
      },
    ),
    law(
      "absent",
      "no gradient for an input that is not used; one like the input for each that is",
      0,
      (c, seed) => {
        const inputs = c.draw(seed, dtype);
        const spare = c.draw(seed + 1, dtype);
        const tape = new Tape();
        const watched = tape.watch({ inputs, spare }) as {
          inputs: MapTree<T, Tensor>;
          spare: unknown;
        };
        const targets = leavesWithPath(c.f(watched.inputs))
          .map(([, y]) => y)
          .filter((y) => isFloat(y.dtype) && tape.tracks(y));
        const cotangent = targets.map((y) => y.mul(0));
        const found = tape.gradientIfReached(targets, watched, { cotangent });
        let cases = 0;
        for (const [path, g] of found) {
          cases++;
          if (path.startsWith("spare"))
            return { error: Infinity, cases, what: `a gradient for the unused ${path}` };
          const x = leavesWithPath(watched).find(([where]) => where === path)![1];
          if (g.shape.join() !== x.shape.join() || g.dtype !== x.dtype) {
            return {
              error: Infinity,
              cases,
              what: `the gradient for ${path} is ${describeTensor(g)}, the value ${describeTensor(x)}`,
            };
          }
        }
        return { error: 0, cases: Math.max(1, cases) };
      },
    ),
    law(
      "residuals",
      "a value changed after it was recorded: the gradient is what it was, or an error",
      0,
      (c, seed) => changes(c, seed, dtype),
    ),
  ];
  if (dtype === "float32") return laws;
  return [differences(cases), rules(cases), ...laws];
}

/** Changes every input, and the output, behind a tape's back. */
function changes<T>(c: Case<T>, seed: number, dtype: "float32" | "float64") {
  const count = leavesWithPath(c.draw(seed, dtype)).length;
  let cases = 0;
  for (let k = 0; k <= count; k++) {
    const found = scope(() => {
      const inputs = c.draw(seed, dtype);
      const tape = new Tape();
      const watched = tape.watch(inputs) as MapTree<T, Tensor>;
      const outputs = leavesWithPath(c.f(watched)).map(([, y]) => y);
      const targets = outputs.filter((y) => isFloat(y.dtype) && tape.tracks(y));
      if (targets.length === 0) return undefined;
      const cotangent = targets.map((y) => y.mul(0).detach().add(0.75));
      const sweep = () => {
        const gradients = tape.gradientIfReached(targets, watched, { cotangent });
        return [...gradients.values()].flatMap((g) => [...g.toTypedArray()]);
      };
      const before = sweep();
      const changed = k < count ? leavesWithPath(inputs)[k]![1] : targets[0]!;
      if (changed.size === 0 || changed.dtype === "int32") return undefined;
      const view = liveView(changed);
      // By different amounts: some functions do not notice when all elements are shifted.
      for (let i = 0; i < changed.size; i++) view.data.set(i, view.data.get(i) + 0.125 / (i + 1));
      let after: number[];
      try {
        after = sweep();
      } catch (error) {
        const isGuard =
          error instanceof Error && error.message.includes("was changed through a live view");
        return isGuard
          ? { error: 0, cases: 1 }
          : { error: Infinity, cases: 1, what: String(error) };
      }
      const what =
        k < count
          ? `gradient after a change of input ${k}`
          : "gradient after a change of the output";
      return same(after, before, what);
    });
    if (found === undefined) continue;
    cases += found.cases;
    if (found.error > 0) return { ...found, cases };
  }
  return { error: 0, cases: Math.max(1, cases) };
}

function differences<T>(cases: readonly Case<T>[]): Law {
  const head = {
    name: "differences",
    statement: "every element of the Jacobian is that of central differences",
    bound: 1e-7,
  };
  return lawOf(cases, head, (c, seed) =>
    scope(() => {
      const report = checkGradients(c.f, c.draw(seed, "float64"), { seed, tolerance: head.bound });
      const cases = Math.max(1, report.elements);
      return report.ok
        ? { error: report.worst, cases }
        : { error: Infinity, cases, what: report.toString() };
    }),
  );
}

function rules<T>(cases: readonly Case<T>[]): Law {
  const head = {
    name: "rules",
    statement: "every rule on the way (vjp, in place, jvp) is right at the inputs it met",
    bound: 1e-6,
  };
  return lawOf(cases, head, (c, seed) =>
    scope(() => {
      const tape = new Tape({ trace: true });
      c.f(tape.watch(c.draw(seed, "float64")) as MapTree<T, Tensor>);
      const { faults, checked, undecided, worst } = checkTape(tape, {
        tolerance: head.bound,
        seed,
      });
      const [fault] = faults;
      const decided = checked - undecided.length;
      if (fault === undefined) return decided > 0 ? { error: worst, cases: decided } : undefined;
      const what = `the ${fault.rule} of ${fault.op} by ${fault.of} at ${fault.index}: ${fault.threw ?? `${fault.analytic}, expected ${fault.numeric}`}`;
      return { error: fault.error, cases: checked, what };
    }),
  );
}
