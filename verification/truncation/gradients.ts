import { jvp, Tape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { numbers, total } from "../tally.ts";
import { expectedOf, run, spans, summed } from "./definition.ts";
import { between, drawOptions, type Params, problem, type State } from "./problem.ts";
import { copyOf, frozen, law, words } from "./windows.ts";

const definition = law(
  "definition",
  "g_j = sum over s_j < t <= e_j of dL_j / dtheta_t, on a tape that is never cut and where each step has weights of its own",
  1e-12,
  (seed, tally) => {
    const p = problem(seed);
    for (let again = 0; again < 4; again++) {
      const options = drawOptions(p);
      const about = words(p, options);
      const expected = run(
        p,
        () => p.params,
        p.state,
        {},
        (found) => spans(p).map((span) => expectedOf(found, span, options)),
      );
      const windows = frozen(p, options, ({ start, newFrom, end, ...w }, j) => {
        const where = `${about}, window ${j}:`;
        tally.list([start, newFrom, end], Object.values(spans(p)[j]!), `${where} its span`);
        const { gradients, losses, ...other } = expected[j]!;
        tally.trees(w.gradients, gradients, `${where} gradient by`);
        tally.list(w.losses, losses, `${where} losses`);
        for (const name of ["loss", "count", "gradientCount"] as const) {
          tally.number(w[name], other[name], () => `${where} ${name}`);
        }
      });
      tally.number(windows.length, expected.length, () => `${about}: windows`);
    }
  },
);

const full = law(
  "full",
  "k2 >= T: the windows add up to full back-propagation through time, for any k1",
  1e-12,
  (seed, tally) => {
    const p = problem(seed);
    const { stale } = drawOptions(p);
    const options = { k1: p.k1, k2: Math.max(p.k1, p.T), stale };
    const tape = new Tape();
    const watched = tape.watch(p.params) as Params;
    let state = p.state;
    const terms: Tensor[] = [];
    for (const { input, target } of p.steps) {
      const [output, next] = p.model.step(watched, input, state);
      state = next;
      const found = p.loss(output, target);
      if (found !== null) terms.push("count" in found ? found.loss : found.sum());
    }
    const expected = numbers(tape.gradient(terms, watched));
    const found = total(frozen(p, options, ({ gradients }) => numbers(gradients)));
    tally.trees(found, expected, `${words(p, options)}: sum of the gradients by`);
  },
);

const chunks = law(
  "chunks",
  "k1 = k2: every window is a chunk of its own, its first state detached, bit by bit",
  0,
  (seed, tally) => {
    const p = problem(seed);
    const k = p.k1;
    const T = k * Math.max(1, Math.floor(p.T / k));
    const steps = Array.from({ length: T }, (_, i) => p.steps[i % p.T]!);
    let state = p.state;
    frozen({ ...p, steps, T }, { k1: k, k2: k }, ({ gradients, start, end }) => {
      const tape = new Tape();
      const watched = tape.watch(p.params) as Params;
      let now = state;
      const terms: Tensor[] = [];
      for (const { input, target } of steps.slice(start, end)) {
        const [output, next] = p.model.step(watched, input, now);
        now = next;
        const found = p.loss(output, target);
        if (found !== null)
          terms.push(found instanceof Object && "count" in found ? found.loss : found);
      }
      const cotangent = terms.map((term) => term.detach().mul(0).add(1));
      const expected = numbers(tape.gradient(terms, watched, { cotangent }));
      for (const [path, g] of Object.entries(numbers(gradients))) {
        tally.bits(g, expected[path]!, `k1 = k2 = ${k}, steps ${start + 1} to ${end}, by ${path}`);
      }
      state = copyOf(now);
    });
  },
);

const lags = law(
  "lags",
  "g for k2 less g for a smaller k2 is what the steps of the lag band between contribute; for k1 = 1 the windows add up to all lags below k2",
  1e-12,
  (seed, tally) => {
    const p = problem(seed);
    const [near, far] = [p.k1 + between(p.random, 0, 2), p.k2 + 2];
    run(
      p,
      () => p.params,
      p.state,
      {},
      (found) => {
        const windows = (k1: number, k2: number) =>
          frozen(p, { k1, k2 }, ({ gradients, start, newFrom, end }) => {
            return { g: numbers(gradients), start, newFrom, end };
          });
        const [wide, narrow] = [windows(p.k1, far), windows(p.k1, near)];
        for (const [j, { g, start, ...span }] of wide.entries()) {
          const other = narrow[j]!;
          const byStep = found.byStep((t) => Number(t > span.newFrom && t <= span.end));
          const band = summed(byStep, { start, end: other.start });
          const where = `k1 ${p.k1}, k2 ${far} less ${near}, window ${j}: by`;
          tally.trees(g, total([other.g, band]), where);
        }
        const all = Array.from({ length: p.T }, (_, i) => {
          const byStep = found.byStep((t) => Number(t === i + 1));
          return summed(byStep, { start: Math.max(0, i + 1 - near), end: i + 1 });
        });
        const sum = total(windows(1, near).map(({ g }) => g));
        tally.trees(sum, total(all), `k1 1, k2 ${near}: sum of the gradients by`);
      },
    );
  },
);

const bias = law(
  "bias",
  "G_full = sum over j of g_j + lambda_j' S: lambda_j the gradient at the cut, S = d h / d theta by forward mode, along a random direction",
  1e-11,
  (seed, tally) => {
    const p = problem(seed, { plain: true });
    const v = tree.map(p.params, (x: Tensor) =>
      tensor(
        Float64Array.from({ length: x.size }, () => p.random.normal()),
        { shape: x.shape },
      ),
    ) as Params;
    const along = (nested: unknown, other: unknown): number => {
      let sum = 0;
      tree.zip(nested, other, (a, b) => {
        sum += a.mul(b).sum().item();
        return a;
      });
      return sum;
    };
    /** States after step s, and the losses of all steps, as functions of the weights. */
    const states = (params: Params, to: number): State => {
      let state = p.state;
      for (const { input } of p.steps.slice(0, to)) [, state] = p.model.step(params, input, state);
      return state;
    };
    const byAll = run(
      p,
      () => p.params,
      p.state,
      {},
      (found) =>
        summed(
          found.byStep(() => 1),
          { start: 0, end: p.T },
        ),
    );
    const flat = numbers(v);
    let expected = 0;
    for (const [path, g] of Object.entries(byAll)) {
      for (let i = 0; i < g.length; i++) expected += g[i]! * flat[path]![i]!;
    }
    let sum = 0;
    frozen(p, { k1: p.k1, k2: p.k2 }, ({ gradients, start, newFrom, end }) => {
      sum += along(gradients, v);
      if (start === 0) return;
      const [state, tangent] = jvp((params: Params) => states(params, start), p.params, v as never);
      const tape = new Tape();
      const watched = tape.watch(state) as State;
      let now = watched;
      const terms: Tensor[] = [];
      for (let t = start + 1; t <= end; t++) {
        const { input, target } = p.steps[t - 1]!;
        const [output, next] = p.model.step(p.params, input, now);
        now = next;
        if (t > newFrom) terms.push((p.loss(output, target) as Tensor).sum());
      }
      sum += along(tape.gradient(terms, watched), tangent);
    });
    tally.number(sum, expected, () => `k1 ${p.k1}, k2 ${p.k2}, T ${p.T}: <G_full, v>`);
  },
);

/** The gradients of windows, with weights that do not change. */
export const definitionLaws: readonly Law[] = [definition, full, chunks, lags, bias];
