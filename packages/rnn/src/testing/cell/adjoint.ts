import { jvp, Tape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { type Rng, rng } from "@chronograd/nn";
import { Tally } from "../tally.ts";
import { type Case, draw, law, results, run, type Subject } from "./subject.ts";

/** Reverse and forward mode are transposes of each other; no step size is involved. */
export function adjoint(subject: Subject): Law {
  return law(
    "adjoint",
    "<u, J v> = <J' u, v> through all steps, with forward mode on the left and reverse mode on the right",
    1e-12,
    (seed) => {
      const drawn: unknown = draw(subject, seed);
      const f = (at: unknown): unknown => results(run(subject.cell, at as Case));
      if (!hasForwardMode(f, drawn)) return undefined;
      const v = randomLike(drawn, rng(seed, "tangent"));
      const [y, tangent] = jvp(f, drawn, v);
      const u = randomLike(y, rng(seed, "cotangent"));
      const left = inner(u, tangent);
      const tape = new Tape();
      const watched = tape.watch(drawn);
      const pairs = tree.leavesWithPath(f(watched)).flatMap(([path, target]) => {
        const cotangent = new Map(tree.leavesWithPath(u)).get(path)!;
        return target.dtype !== "int32" && tape.tracks(target)
          ? [[target, cotangent] as const]
          : [];
      });
      const cotangent = pairs.map(([, c]) => c);
      const targets = pairs.map(([target]) => target);
      const right = inner(tape.gradient(targets, watched, { cotangent }), v);
      const scale = Math.max(left.size, right.size) || 1;
      const tally = new Tally();
      tally.add(Math.abs(left.sum - right.sum) / scale, () => {
        return `forward mode gives ${left.sum}, reverse mode ${right.sum}`;
      });
      return { ...tally.finding(), cases: tree.leaves(drawn).reduce((n, x) => n + x.size, 0) };
    },
  );
}

/** Whether every op of a function has a rule for forward mode, or is not differentiable at all. */
export function hasForwardMode(f: (at: unknown) => unknown, at: unknown): boolean {
  const tape = new Tape();
  f(tape.watch(at));
  for (let i = tape.base; i < tape.position; i++) {
    const { jvp: rule, vjp } = tape.entries.at(i).declaration;
    if (isNone(rule) && !isNone(vjp)) return false;
  }
  return true;
}

function isNone(rule: unknown): boolean {
  return typeof rule === "object" && rule !== null && "none" in rule;
}

function randomLike(values: unknown, random: Rng): unknown {
  return tree.map(values, (x: Tensor) => {
    if (x.dtype === "int32") return x;
    const elements = Float64Array.from({ length: x.size }, () => random.normal());
    return tensor(elements, { shape: x.shape, dtype: x.dtype, backend: x.backend });
  });
}

/** The inner product of two trees, and the size of what was added up. */
function inner(first: unknown, second: unknown): { sum: number; size: number } {
  const others = new Map(tree.leavesWithPath(second));
  let sum = 0;
  let size = 0;
  for (const [path, x] of tree.leavesWithPath(first)) {
    if (x.dtype === "int32") continue;
    const [a, b] = [x.toTypedArray(), others.get(path)!.toTypedArray()];
    for (let i = 0; i < a.length; i++) {
      sum += a[i]! * b[i]!;
      size += Math.abs(a[i]! * b[i]!);
    }
  }
  return { sum, size };
}
