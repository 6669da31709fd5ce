import { jvp, scope, Tape, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import type { Subject } from "../subject.ts";
import { type Argument, type Case, type Elements, fixture, read } from "./fixture.ts";
import { Worst } from "./worst.ts";

/** Tensors by name. */
export type Named = Readonly<Record<string, Tensor>>;

/** How a family's cases are called: outputs by name, from inputs by name. */
export type Call = (inputs: Named, args: readonly unknown[]) => Named;

const bound = 1e-10;

/** Subjects of a family's cases, one for each thing that is called. */
export function callSubjects(
  family: string,
  group: string,
  callOf: (name: string) => Call,
): Subject[] {
  const { torch, cases } = fixture(family);
  const byName = Map.groupBy(cases, ({ call }) => call);
  return Array.from(byName, ([name, own]) => ({
    name,
    group,
    laws: lawsOf(own, callOf(name), `PyTorch ${torch}`),
  }));
}

function lawsOf(cases: readonly Case[], call: Call, oracle: string): Law[] {
  const differentiable = cases.filter((each) => cotangentsOf(each).length > 0);
  const values: Law = {
    name: "values",
    statement: `y = ${oracle}'s, for the same inputs in float64`,
    bound,
    measure: () => over(cases, (each, worst) => compareValues(each, call, worst)),
  };
  if (differentiable.length === 0) return [values];
  return [
    values,
    {
      name: "gradients",
      statement: `g J = ${oracle}'s, for a random cotangent g of every output`,
      bound,
      measure: () => over(differentiable, (each, worst) => compareGradients(each, call, worst)),
    },
    {
      name: "tangents",
      statement: `<g, J dx> = <g J, dx> with forward mode's J dx and ${oracle}'s g J, by the sum of magnitudes`,
      bound,
      measure: (seed) =>
        over(differentiable, (each, worst) => compareTangents(each, call, seed, worst)),
    },
  ];
}

/** Outputs that vary with the inputs. */
export function cotangentsOf({ outputs }: Case): [name: string, cotangent: Elements][] {
  return Object.entries(outputs).flatMap(([name, { shape, cotangent }]) =>
    cotangent === undefined ? [] : [[name, { shape, values: cotangent }]],
  );
}

/** Compares case after case; what one throws is an infinite error. */
export function over(cases: readonly Case[], compare: (each: Case, worst: Worst) => void): Worst {
  const worst = new Worst();
  for (const each of cases) {
    try {
      scope(() => compare(each, worst));
    } catch (error) {
      worst.cases++;
      worst.see(Infinity, () => `${each.label}: ${String(error)}`);
    }
  }
  return worst;
}

function readInputs({ inputs }: Case): { floats: Named; integers: Named } {
  const tensors = (integers: boolean) =>
    Object.fromEntries(
      Object.entries(inputs)
        .filter(([, x]) => (x.integers === true) === integers)
        .map(([name, x]) => [name, read(x, integers)]),
    );
  return { floats: tensors(false), integers: tensors(true) };
}

/** Calls with the inputs in their written order. */
function run({ inputs, args }: Case, call: Call, values: Named): Named {
  const ordered = Object.fromEntries(Object.keys(inputs).map((name) => [name, values[name]!]));
  const written = args ?? Object.keys(inputs).map((name) => `$${name}`);
  return call(
    ordered,
    written.map((arg) => resolve(arg, ordered)),
  );
}

function resolve(arg: Argument, inputs: Named): unknown {
  if (typeof arg === "string") {
    if (arg.startsWith("$")) return inputs[arg.slice(1)];
    return arg.endsWith("Infinity") ? Number(arg) : arg;
  }
  if (typeof arg !== "object" || arg === null) return arg;
  if (Array.isArray(arg)) return arg.map((part) => resolve(part, inputs));
  return Object.fromEntries(
    Object.entries(arg).map(([name, part]) => [name, resolve(part, inputs)]),
  );
}

function compareValues(each: Case, call: Call, worst: Worst): void {
  const { floats, integers } = readInputs(each);
  const outputs = run(each, call, { ...floats, ...integers });
  for (const [name, expected] of Object.entries(each.outputs)) {
    const floor = each.relative === true ? 0 : 1;
    worst.tensor(outputs[name]!, expected, `${each.label}: ${name}`, floor);
  }
}

function compareGradients(each: Case, call: Call, worst: Worst): void {
  const { floats, integers } = readInputs(each);
  const tape = new Tape();
  const watched = tape.watch(floats);
  const outputs = run(each, call, { ...watched, ...integers });
  // What is constant, or passes nothing on, is not on the tape; its gradients are zeros.
  const targets = cotangentsOf(each).filter(([name]) => outputs[name]!.tape === tape);
  const found = tape.gradient(
    targets.map(([name]) => outputs[name]!),
    watched,
    targets.length > 0 ? { cotangent: targets.map(([, g]) => read(g)) } : {},
  );
  for (const [name, { shape, gradient }] of Object.entries(each.inputs)) {
    if (gradient === undefined) continue;
    const floor = each.relative === true ? 0 : 1;
    worst.tensor(found[name]!, { shape, values: gradient }, `${each.label}: by ${name}`, floor);
  }
}

function compareTangents(each: Case, call: Call, seed: number, worst: Worst): void {
  const { floats, integers } = readInputs(each);
  const random = rng(seed);
  const tangents = tree.map(floats, (x: Tensor) =>
    read({ shape: x.shape, values: Array.from({ length: x.size }, () => random.normal()) }),
  );
  const [, pushed] = jvp((x: Named) => run(each, call, { ...x, ...integers }), floats, tangents);
  const forwards = new Pairing();
  for (const [name, g] of cotangentsOf(each)) forwards.add(g.values, pushed[name]!);
  const backwards = new Pairing();
  for (const [name, { gradient }] of Object.entries(each.inputs)) {
    if (gradient !== undefined) backwards.add(gradient, tangents[name]!);
  }
  const floor = Math.max(1, forwards.magnitude, backwards.magnitude);
  worst.number(forwards.sum, backwards.sum, () => `${each.label}: <g, J dx>`, floor);
}

/** An inner product, and the sum of the magnitudes of its terms. */
class Pairing {
  sum = 0;
  magnitude = 0;

  add(a: Elements["values"], b: Tensor): void {
    for (const [i, y] of b.toTypedArray().entries()) {
      const term = Number(a[i]) * y;
      this.sum += term;
      this.magnitude += Math.abs(term);
    }
  }
}
