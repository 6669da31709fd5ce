import { grad, Tape, type Tensor, tree } from "@chronograd/autodiff";
import { block, matrix } from "./blocks.ts";
import { keptLaws } from "./kept.ts";
import { levelLaws } from "./levels.ts";
import { gradients, law } from "./onTape.ts";
import { shared } from "./shared.ts";
import type { Subject } from "./subject.ts";
import { numbers, total, values } from "./tally.ts";

const since = law(
  "since",
  "what was recorded before a mark is constant, the marked values are not: as on a tape that begins there",
  1e-12,
  (random, tally) => {
    const [w, v, u] = [matrix(random), matrix(random), matrix(random)];
    const [body, after] = [block(random), block(random)];
    // The entry just before the mark reads a leaf, so that a cut that is one entry off shows.
    const before = (a: Tensor, b: Tensor) => body(a, b).mul(a);
    const tape = new Tape();
    const watched = tape.watch({ w, v });
    const h = before(watched.w, watched.v);
    const mark = tape.mark(h);
    const y = after(watched.w, watched.v, h);
    const constant = before(w, v);
    const expected = gradients(after, [w, v, constant], u);
    const options = { since: mark, cotangent: u };
    tally.trees(tape.gradient(y, [watched.w, watched.v, h], options), expected, "since a mark: by");
    const weights = tape.gradient(y, [watched.w, watched.v], options);
    tally.trees(weights, expected.slice(0, 2), "since a mark, weights alone: by");
    tape.forget(mark);
    const rest = tape.gradient(y, [watched.w, watched.v, h], { cotangent: u });
    tally.trees(rest, expected, "after forgetting what was before: by");
    tally.number(tape.gradientIfReached(y, h, { since: tape.mark(), cotangent: u }).size, 0, () => {
      return "gradients by a value, since a mark after everything";
    });
    // The state of the mark stays usable, as a constant.
    const more = after(watched.w, watched.v, h);
    tally.trees(
      tape.gradient(more, [watched.w, watched.v], { cotangent: u }),
      expected.slice(0, 2),
      "recorded anew from a carried value: by",
    );
  },
);

const cuts = law(
  "cuts",
  "a chain that is marked and forgotten again and again: each gradient reaches to the last cut",
  1e-12,
  (random, tally) => {
    const [w, u] = [matrix(random), matrix(random)];
    const body = block(random, 3);
    const step = (a: Tensor, b: Tensor) => body(a, b).mul(a);
    const tape = new Tape();
    const watched = tape.watch(w);
    let h = tape.watch(matrix(random));
    for (let t = 0; t < 4; t++) {
      const plain = tape.strip(h).detach();
      h = step(watched, h);
      const expected = gradients(step, [w, plain], u)[0]!;
      tally.trees(tape.gradient(h, watched, { cotangent: u }), expected, `after cut ${t}: by`);
      tape.forget(tape.mark(h));
      tally.number(tape.stats().entries, 0, () => `entries after cut ${t}`);
    }
  },
);

const targets = law(
  "targets",
  "the gradient of several targets, in any order and more than once, is the sum of theirs",
  1e-12,
  (random, tally) => {
    const x = matrix(random);
    const [first, second] = [block(random), block(random)];
    const tape = new Tape();
    const watched = tape.watch(x);
    const a = first(watched, watched);
    const b = second(watched, a);
    const list = [b, a, watched, b];
    const cotangent = list.map(() => matrix(random));
    const each = list.map((y, i) =>
      numbers(tape.gradient(y, watched, { cotangent: cotangent[i]! })),
    );
    const found = tape.gradient(list, watched, { cotangent });
    tally.trees(found, total(each), "sum over targets: by");
    const scalars = [b.sum(), a.sum()];
    const sum = total(scalars.map((y) => numbers(tape.gradient(y, watched))));
    tally.trees(tape.gradient(scalars, watched), sum, "scalars, the latest first: by");
    tally.trees(tape.gradient(scalars.toReversed(), watched), sum, "scalars, in order: by");
  },
);

const between = law(
  "between",
  "the gradient by a value in between is that of the rest of the program by its input",
  1e-12,
  (random, tally) => {
    const [x, u] = [matrix(random), matrix(random)];
    const [before, after] = [block(random), block(random)];
    const tape = new Tape();
    const watched = tape.watch(x);
    const z = before(watched, watched);
    const y = after(z, watched);
    const [byZ, byX] = gradients(after, [z.detach(), x], u);
    const through = gradients(before, [x, x], byZ!);
    tally.trees(tape.gradient(y, z, { cotangent: u }), byZ, "by the value in between alone");
    const found = tape.gradient(y, { z, watched }, { cotangent: u });
    const whole = total([byX!, ...through].map((g) => ({ watched: values(g) })));
    tally.trees(found, { z: values(byZ!), ...whole }, "by both:");
  },
);

const reached = law(
  "reached",
  "gradient is gradientIfReached, with zeros where nothing arrives",
  0,
  (random, tally) => {
    const nested = { used: matrix(random), idle: matrix(random), also: [matrix(random)] };
    const f = block(random);
    const tape = new Tape();
    const watched = tape.watch(nested);
    const y = f(watched.also[0]!, watched.used).add(watched.used).sum();
    const found = tape.gradientIfReached(y, watched);
    for (const [path, g] of tree.leavesWithPath(tape.gradient(y, watched))) {
      const there = found.get(path);
      const expected = there === undefined ? new Array<number>(9).fill(0) : values(there);
      tally.bits(values(g), expected, `by ${path}`);
    }
    tally.check(found.has("used") && !found.has("idle"), () => `reached ${[...found.keys()]}`);
  },
);

const generations = law(
  "generations",
  "watch as: the gradient by a parameter of several generations is the sum over its values",
  1e-12,
  (random, tally) => {
    const values3 = [matrix(random), matrix(random), matrix(random)];
    const [f, u] = [block(random, 6), matrix(random)];
    const tape = new Tape();
    const first = tape.watch({ w: values3[0]! });
    const others = values3.slice(1).map((w) => tape.watch({ w }, { as: first }));
    const y = f(first.w, ...others.map(({ w }) => w));
    const expected = total(gradients(f, values3, u).map((w) => numbers({ w })));
    for (const which of [first, ...others]) {
      tally.trees(tape.gradient(y, which, { cotangent: u }), expected, "by any generation:");
    }
  },
);

const detached = law(
  "detached",
  "detach makes a constant on every tape: what it hides gets nothing, what stands beside it all",
  1e-12,
  (random, tally) => {
    const [x, u] = [matrix(random), matrix(random)];
    const [hidden, f] = [block(random), block(random)];
    const tape = new Tape();
    const watched = tape.watch(x);
    const constant = hidden(watched, watched).detach();
    tally.check(!tape.tracks(constant), () => "a detached value is on the tape");
    const y = f(watched, constant);
    const [expected] = gradients(f, [x, hidden(x, x)], u);
    tally.trees(tape.gradient(y, watched, { cotangent: u }), expected, "by the value beside it");
    const second = grad((z: Tensor) =>
      grad((t: Tensor) => t.detach().square().mul(t).sum())(z).sum(),
    )(x);
    tally.trees(
      second,
      tree.map(x, (z: Tensor) => z.mul(0)),
      "second derivative of detach(t)^2 t",
    );
  },
);

const dtypes = law(
  "dtypes",
  "where dtypes meet by cast, every gradient has the dtype of its value and is that of float64",
  1e-4,
  (random, tally) => {
    const [wide, u] = [matrix(random), matrix(random)];
    const narrow = matrix(random).cast("float32").detach();
    const f = block(random);
    const tape = new Tape();
    const watched = tape.watch({ wide, narrow });
    const y = f(watched.wide.cast("float32"), watched.narrow).cast("float64");
    const found = tape.gradient(y, watched, { cotangent: u });
    const expected = gradients(f, [wide, narrow.cast("float64").detach()], u);
    tally.list(values(found.wide), values(expected[0]!), "by the float64 value");
    tally.list(values(found.narrow), values(expected[1]!), "by the float32 value");
    for (const name of ["wide", "narrow"] as const) {
      const [g, x] = [found[name], { wide, narrow }[name]];
      tally.check(g.dtype === x.dtype, () => `the gradient by a ${x.dtype} value is ${g.dtype}`);
    }
  },
);

/** What tapes guarantee: marks, cuts, targets, generations, recorded sweeps, guards. */
export function tapeSubjects(): Subject[] {
  return [
    {
      name: "tape",
      group: "tape",
      laws: [since, cuts, targets, between, reached, generations, ...levelLaws, detached, dtypes],
    },
    { name: "values that change", group: "tape", laws: [...keptLaws, shared] },
  ];
}
