import { grad, jvp, type Tensor, tensor } from "@chronograd/autodiff";
import { apply, type OpDeclaration } from "@chronograd/autodiff/extend";
import {
  checkGradients,
  type Finding,
  functionLaws,
  hold,
  type Law,
} from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import type { Subject } from "./subject.ts";

type Rule = (d: Tensor, x: Tensor) => Tensor;

const sums = (x: Tensor, axis: number) => x.sum(axis, { keepDims: true }).add(x.mul(0));
/** Of `x * (sum of its row)`. */
const right: Record<"vjp" | "jvp", Rule> = {
  vjp: (g, x) => g.mul(sums(x, 1)).add(sums(g.mul(x), 1)),
  jvp: (dx, x) => dx.mul(sums(x, 1)).add(x.mul(sums(dx, 1))),
};

/** `x * (sum of its row)`, with the given rules. */
function rowScale(rules: { readonly vjp?: unknown; readonly jvp?: unknown } = {}) {
  const { vjp, jvp: tangent } = { ...right, ...rules } as typeof right;
  const declaration: OpDeclaration = {
    name: "rowScale",
    inputs: ["x"],
    shape: ([x]) => x!.shape,
    forward({ memory }, [x], y) {
      const values = memory.views[y.dtype];
      const [from, to] = [x!, y].map((each) => each.pointer / values.BYTES_PER_ELEMENT);
      for (let i = 0; i < y.size; i++) {
        let sum = 0;
        for (let k = 0; k < 3; k++) sum += values[from! + i - (i % 3) + k]!;
        values[to! + i] = values[from! + i]! * sum;
      }
    },
    residuals: { inputs: "all", output: false },
    vjp: [(g, { inputs }) => vjp(g, inputs[0]!)],
    jvp: ([dx], { inputs }) => tangent(dx!, inputs[0]!),
    samples: [],
  };
  return (x: Tensor) => apply(declaration, [x], undefined);
}

const mistakes: readonly ((rule: Rule) => Rule)[] = [
  (rule) => (d, x) => rule(d, x).mul(0.5),
  (rule) => (d, x) => rule(d, x).mul(1.00001),
  (rule) => (d, x) => rule(d, x).neg(),
  (rule) => (d, x) => rule(d, x).transpose(),
  () => (d) => d.mul(0),
  () => (d, x) => d.mul(sums(x, 1)),
];

function matrix(seed: number): Tensor {
  const random = rng(seed, "checker");
  return tensor(
    Float64Array.from({ length: 9 }, () => 0.2 + random.uniform()),
    { shape: [3, 3] },
  );
}

/** Counts statements that should be true and are not. */
function claims(statements: Iterable<readonly [holds: boolean, what: string]>): Finding {
  let cases = 0;
  for (const [holds, what] of statements) {
    cases++;
    if (!holds) return { error: Infinity, cases, what };
  }
  return { error: 0, cases };
}

function* verdicts(seed: number): Generator<[boolean, string]> {
  const random = rng(seed, "scale");
  const x = matrix(seed);
  const first = Math.floor(random.uniform() * mistakes.length);
  for (const mode of ["full", "directions"] as const) {
    for (const exponent of [-30 + Math.floor(60 * random.uniform()), -30, 0]) {
      const of = (mine: (x: Tensor) => Tensor) => (z: Tensor) =>
        mine(z.sin())
          .tanh()
          .mul(10 ** exponent);
      const check = (rules: Parameters<typeof rowScale>[0], options = {}) =>
        checkGradients(of(rowScale(rules)), x, { mode, seed, ...options });
      const where = `mode ${mode}, times 1e${exponent}`;
      yield [check({}).ok, `a right gradient called wrong, ${where}`];
      for (const rule of ["vjp", "jvp"] as const) {
        for (const k of [first, (first + 1) % mistakes.length]) {
          const report = check({ [rule]: mistakes[k]!(right[rule]) });
          const isNamed =
            report.blame?.faults[0]?.rule === rule && report.blame.site?.op === "rowScale";
          yield [
            report.mismatches.length > 0 && isNamed,
            `mistake ${k} of a ${rule} missed, ${where}`,
          ];
        }
      }
      const detached = { vjp: (g: Tensor, z: Tensor) => right.vjp(g, z.detach()) };
      const second = check(detached, { order: 2, tolerance: 1e-6 });
      yield [second.blame?.faults[0]?.order === 2, `a wrong second derivative missed, ${where}`];
    }
  }
  const tiny = (z: Tensor) => rowScale({ vjp: mistakes[first]!(right.vjp) })(z).mul(1e-12);
  for (const law of functionLaws(tiny, (at) => matrix(at), { order: 1 })) {
    if (law.name !== "adjoint" && law.name !== "rules") continue;
    yield [
      hold(law, { seed, runs: 1 })?.ok === false,
      `the law ${law.name} holds for a wrong rule`,
    ];
  }
}

function* domains(): Generator<[boolean, string]> {
  const cases: readonly (readonly [string, (z: Tensor) => Tensor, number[]])[] = [
    ["log", (z) => z.log(), [1e-3, 1e-6, 1e-300, 1]],
    ["sqrt", (z) => z.sqrt(), [1e-12, 1e300]],
    ["1/x", (z) => z.reciprocal(), [1e-6, 1e6]],
    ["sin", (z) => z.sin(), [1e12, 1]],
    ["x + 1", (z) => z.add(1), [1e-300]],
  ];
  for (const [name, f, values] of cases) {
    const x = tensor(Float64Array.from(values));
    yield [checkGradients(f, x).ok, `${name} at ${values} is not found right`];
    const half = checkGradients((z: Tensor) => f(z).add(f(z.detach())), x);
    yield [half.mismatches.length === values.length, `half of ${name} at ${values} is found right`];
  }
  for (const f of [(z: Tensor) => z.abs(), (z: Tensor) => z.relu(), (z: Tensor) => z.floor()]) {
    const report = checkGradients(f, tensor(Float64Array.of(0)));
    yield [!report.ok && report.mismatches.length === 0, "a kink is called right, or wrong"];
  }
}

function* returned(seed: number): Generator<[boolean, string]> {
  const x = matrix(seed);
  for (const [what, value] of [
    ["nothing", undefined],
    ["a scalar", x.sum()],
    ["float32", x.cast("float32")],
  ] as const) {
    for (const rule of ["vjp", "jvp"] as const) {
      const f = (z: Tensor) => rowScale({ [rule]: () => value })(z).sum();
      let said = "";
      try {
        if (rule === "vjp") grad(f)(x);
        else jvp(f, x, x);
      } catch (error) {
        said = (error as Error).message;
      }
      yield [said.includes(`the ${rule} of rowScale`), `a ${rule} that returns ${what} is taken`];
    }
  }
}

/** The checker itself: it must find planted mistakes at every scale, and no others. */
export function checkerSubject(): Subject {
  const laws: Law[] = [
    {
      name: "verdicts",
      statement:
        "right is right and wrong is wrong, with the rule named, for a function times 1e-30 to 1e30",
      bound: 0,
      measure: (seed) => claims(verdicts(seed)),
    },
    {
      name: "domains",
      statement: "next to poles and edges, and for tiny and huge inputs, derivatives are decided",
      bound: 0,
      measure: () => claims(domains()),
    },
    {
      name: "returned",
      statement: "what a rule returns is held to shape, dtype and being there",
      bound: 0,
      measure: (seed) => claims(returned(seed)),
    },
  ];
  return { name: "the checker", group: "checks", laws };
}
