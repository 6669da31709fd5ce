import { Tape, type Tensor, tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { truncated } from "@chronograd/rnn";
import { numbers, total, values } from "../tally.ts";
import { run, weightOf } from "./definition.ts";
import { drawOptions, problem, type State } from "./problem.ts";
import { frozen, law, words } from "./windows.ts";

const unchanged = law(
  "unaffected",
  "losses and states do not depend on k1, k2 and stale, nor on how the stream is given, bit by bit",
  0,
  (seed, tally) => {
    const p = problem(seed, { plain: true });
    const plain = run(
      p,
      () => p.params,
      p.state,
      {},
      ({ losses, states }) => ({ losses, states }),
    );
    const { stale } = drawOptions(p);
    const options = { k1: p.k1, k2: p.k2, stale };
    const found = frozen(p, options, ({ losses, state, end }, j) => {
      for (const [path, expected] of Object.entries(plain.states[end]!)) {
        tally.bits(
          numbers(state)[path]!,
          expected,
          `${words(p, options)}, window ${j}: state ${path}`,
        );
      }
      return losses;
    }).flat();
    const other = frozen(p, { k1: p.k1 + 1, k2: p.k2 + 3 }, ({ losses }) => losses).flat();
    tally.bits(found, other, `${words(p, options)}: losses`);
    const inTime = (name: "input" | "target") => {
      const { shape } = p.steps[0]![name];
      const all = p.steps.flatMap((step) => values(step[name]));
      return tensor(Float64Array.from(all), { shape: [p.T, ...shape] });
    };
    const sequence = { inputs: inTime("input"), targets: inTime("target") };
    const whole = truncated(p.model, p.params, sequence, {
      compile: false,
      ...options,
      state: p.state,
      loss: p.loss,
    });
    tally.bits(Array.from(whole, ({ losses }) => losses).flat(), other, "losses of a sequence");
  },
);

const defer = law(
  "defer",
  "one window with the sum of all; as a mean, divided by all tokens that count",
  1e-12,
  (seed, tally) => {
    const p = problem(seed);
    const { stale: _, reduction: __, ...cut } = drawOptions(p);
    const each = frozen(p, cut, (w) => ({ ...w, g: numbers(w.gradients) }));
    for (const reduction of ["sum", "mean"] as const) {
      const options = { ...cut, reduction, stale: "defer" as const };
      const where = `${words(p, options)}:`;
      const all = frozen(p, options, (w) => {
        const tokens = each.reduce((sum, { gradientCount }) => sum + gradientCount, 0);
        const count = each.reduce((sum, { count: more }) => sum + more, 0);
        const scale = reduction === "sum" ? 1 : tokens === 0 ? 0 : 1 / tokens;
        const expected = Object.entries(total(each.map(({ g }) => g))).map(
          ([path, g]) => [path, g.map((x) => x * scale)] as const,
        );
        tally.trees(w.gradients, Object.fromEntries(expected), `${where} gradient by`);
        const losses = each.flatMap((window) => window.losses);
        const loss = losses.reduce((a, b) => a + b, 0);
        tally.list(w.losses, losses, `${where} losses`);
        const found = [w.count, w.gradientCount, w.start, w.newFrom, w.end];
        tally.list(found, [count, tokens, 0, 0, p.T], `${where} counts and span`);
        const mean = count === 0 ? 0 : loss / count;
        tally.number(w.loss, reduction === "sum" ? loss : mean, () => `${where} loss`);
      });
      tally.number(all.length, 1, () => `${where} windows`);
    }
  },
);

const norms = law(
  "norms",
  "stateGradientNorms are the norms of the gradient that the steps from t on send to the state before step t, for each t after s_j",
  1e-12,
  (seed, tally) => {
    const p = problem(seed, { plain: true });
    const options = { ...drawOptions(p), multiplicity: false, reduction: "sum" as const };
    frozen(p, { ...options, measure: (j) => j % 2 === 0 }, (w, j) => {
      const where = `${words(p, options)}, window ${j}:`;
      const { stateGradientNorms: found } = w;
      if (j % 2 === 1) return tally.check(found === undefined, () => `${where} not asked for`);
      let state = p.state;
      for (const { input } of p.steps.slice(0, w.start)) {
        [, state] = p.model.step(p.params, input, state);
      }
      const tape = new Tape();
      const before: State[] = [];
      const terms: Tensor[] = [];
      state = tape.watch(state) as State;
      for (let t = w.start + 1; t <= w.end; t++) {
        const { input, target } = p.steps[t - 1]!;
        before.push(state);
        const [output, next] = p.model.step(p.params, input, state);
        // Apart from the output, whose loss is that of the step before.
        state = tree.map(next, (x: Tensor) => x.clone()) as State;
        if (weightOf(t, w, options) > 0) terms.push((p.loss(output, target) as Tensor).sum());
      }
      const expected = before.map((h) => {
        const g = Object.values(numbers(tape.gradient(terms, h)));
        return Math.hypot(...g.flatMap((list) => Array.from(list)));
      });
      tally.list(found ?? [], expected, `${where} norms`);
    });
  },
);

/** What else windows report, with weights that do not change. */
export const accountLaws: readonly Law[] = [unchanged, defer, norms];
