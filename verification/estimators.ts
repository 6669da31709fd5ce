import { grad, type Tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { truncated, unroll } from "@chronograd/rnn";
import { artbp, compareEstimators, unrollByNewton } from "@chronograd/rnn/estimators";
import { type CheckedEstimator, checkEstimator } from "@chronograd/rnn/testing";
import { lawOver } from "./lawOver.ts";
import type { Subject } from "./subject.ts";
import { type Numbers, numbers, type Tally, total } from "./tally.ts";
import { run } from "./truncation/definition.ts";
import { between, oneOf, type Problem, problem } from "./truncation/problem.ts";

/** The gradient of all losses, the losses, and the states after each step, by definition. */
function byDefinition(p: Problem) {
  return run(
    p,
    () => p.params,
    p.state,
    {},
    ({ byStep, losses, states }) => {
      const gradient = total(byStep(() => 1).filter((g) => g !== undefined));
      return { gradient, losses: losses.slice(1), states };
    },
  );
}

/** A problem of few steps, so that all ways to cut it can be listed. */
function shortProblem(seed: number): Problem {
  const p = problem(seed);
  const steps = p.steps.slice(0, 4);
  return { ...p, steps, T: steps.length };
}

function cutMean(seed: number, tally: Tally): void {
  const p = shortProblem(seed);
  const expected = byDefinition(p);
  const [base, fall] = [0.4 + 0.2 * p.random.uniform(), p.random.uniform()];
  const probability = (since: number) => base / (1 + fall * (since - 1));
  const compile = oneOf(p.random, [true, false]);
  const shared = { state: p.state, loss: p.loss, compile, probability };
  const seen = new Map<string, readonly Numbers[]>();
  const patterns = 2 ** (p.T - 1);
  for (let draw = 0; seen.size < patterns && draw < 2000; draw++) {
    const draws = rng(seed, `cuts ${draw}`);
    const ends: number[] = [];
    const gradients: Numbers[] = [];
    const losses: number[] = [];
    for (const window of artbp(p.model, p.params, p.steps, { ...shared, draws })) {
      ends.push(window.end);
      losses.push(...window.losses);
      gradients.push(numbers(window.gradients));
      const where = `T ${p.T}, a cut after ${window.end}: the state`;
      tally.trees(numbers(window.state), expected.states[window.end], where);
    }
    tally.list(losses, expected.losses, `T ${p.T}: losses`);
    seen.set(ends.join(), gradients);
  }
  tally.check(seen.size === patterns, () => `${seen.size} of ${patterns} ways to cut were drawn`);
  const weighted = [...seen].map(([pattern, gradients]) => {
    const ends = new Set(pattern.split(",").map(Number));
    let [likely, since] = [1, 0];
    for (let t = 1; t < p.T; t++) {
      const c = probability(++since);
      likely *= ends.has(t) ? c : 1 - c;
      if (ends.has(t)) since = 0;
    }
    return scaled(total(gradients), likely);
  });
  tally.trees(total(weighted), expected.gradient, `T ${p.T}, compile ${compile}: the mean`);
}

const scaled = (gradient: Numbers, by: number): Numbers =>
  Object.fromEntries(
    Object.entries(gradient).map(([path, g]) => [path, Array.from(g, (x) => x * by)]),
  );

function solved(seed: number, tally: Tally): void {
  const p = problem(seed, { plain: true });
  const inputs = p.steps.map(({ input }) => input);
  const lengths = [p.T, between(p.random, 0, p.T)];
  const lossOf = (solve: typeof unroll | typeof unrollByNewton) => (x: unknown) => {
    const { params, state } = x as Pick<Problem, "params" | "state">;
    const found = solve(p.model, params, inputs, { state, lengths });
    const sums = [...tree.leaves(found.outputs), ...tree.leaves(found.state)];
    return sums
      .map((y, i) =>
        y
          .square()
          .sum()
          .mul(i + 1),
      )
      .reduce((a, b) => a.add(b));
  };
  const at = { params: p.params, state: p.state };
  const found = unrollByNewton(p.model, p.params, inputs, { state: p.state, lengths });
  tally.check(found.converged, () => `T ${p.T}: residuals ${found.residuals}`);
  if (!found.converged) return;
  const expected = unroll(p.model, p.params, inputs, { state: p.state, lengths });
  tally.trees(found.outputs, expected.outputs, `T ${p.T}: outputs`);
  tally.trees(found.state, expected.state, `T ${p.T}: the state`);
  const gradient = (solve: typeof unroll | typeof unrollByNewton) =>
    grad(lossOf(solve))(at as never);
  tally.trees(gradient(unrollByNewton), gradient(unroll), `T ${p.T}: the gradient`);
}

function compared(seed: number, tally: Tally): void {
  const p = problem(seed, { plain: true });
  const truth = byDefinition(p).gradient;
  const { k1, k2 } = p;
  const parts: Numbers[] = [];
  const own = { k1, k2, state: p.state, loss: p.loss };
  for (const { gradients } of truncated(p.model, p.params, p.steps, own)) {
    parts.push(numbers(gradients));
  }
  const flat = (gradient: Numbers) => Object.values(gradient).flatMap((g) => Array.from(g));
  const [g, estimate] = [flat(truth), flat(total(parts))];
  const table = compareEstimators(
    p.model,
    p.params,
    p.steps,
    [
      {
        name: "truncated",
        windows: (model, params, stream, options) =>
          truncated(model, params, stream, { ...options, k1, k2 }),
      },
    ],
    { loss: p.loss, state: p.state },
  );
  const [row] = table.estimators;
  const norm = (x: readonly number[]) => Math.hypot(...x);
  const dot = estimate.reduce((sum, x, i) => sum + x * g[i]!, 0);
  const where = (what: string) => () => `T ${p.T}, k1 ${k1}, k2 ${k2}: ${what}`;
  tally.number(table.full.norm, norm(g), where("norm"));
  tally.number(row!.bias, norm(estimate.map((x, i) => x - g[i]!)), where("bias"));
  tally.number(row!.cosine, dot / norm(estimate) / norm(g), where("cosine"));
  tally.check(row!.variance === 0 && row!.isDeterministic, where("variance"));
}

type Windows = CheckedEstimator<
  Record<string, never>,
  Record<string, never>,
  Tensor,
  Tensor,
  Tensor
>;

/** Estimators that are right, and some that are wrong, whatever they are checked on. */
const right: Windows = (model, params, stream, options) =>
  truncated(model, params, stream, { ...options, k1: 2, k2: Infinity });
const wrong: Readonly<Record<string, Windows>> = {
  "cut at every step": (model, params, stream, options) =>
    truncated(model, params, stream, { ...options, k1: 1, k2: 1 }),
  *"the first window twice"(...given) {
    let isFirst = true;
    for (const window of right(...given)) {
      if (isFirst) yield { gradients: window.gradients, losses: [] };
      isFirst = false;
      yield window;
    }
  },
  *"the last window left out"(...given) {
    const [model, params, stream, options, draws] = given;
    yield* right(model, params, stream.slice(0, -1), options, draws);
  },
};

function verdicts(seed: number, tally: Tally): void {
  const drawn = problem(seed, { plain: true });
  const steps = [...drawn.steps, ...problem(seed + 1, { plain: true }).steps, ...drawn.steps];
  const check = (windows: Windows) =>
    checkEstimator(drawn.model, steps.slice(0, 5), {
      claim: "exact",
      windows,
      loss: drawn.loss,
      params: drawn.params,
      state: drawn.state,
    });
  const report = check(right);
  tally.check(report.ok, () => String(report));
  for (const [name, windows] of Object.entries(wrong)) {
    tally.check(!check(windows).ok, () => `${name}: not found`);
  }
}

/** Estimators of the gradient of a stream, and what holds them to full back-propagation. */
export function estimatorSubjects(): Subject[] {
  return [
    {
      name: "random cuts",
      group: "estimators",
      laws: [
        lawOver(
          1,
          "mean over all cuts",
          "the gradients of artbp over all ways to cut a stream, each with its probability, add up to that of full back-propagation; losses and states do not change",
          1e-11,
          cutMean,
        ),
      ],
    },
    {
      name: "Newton iterations",
      group: "estimators",
      laws: [
        lawOver(
          2,
          "solution",
          "unrollByNewton converges to the outputs, the state and the gradients of unroll",
          1e-8,
          solved,
        ),
      ],
    },
    {
      name: "comparison of estimators",
      group: "estimators",
      laws: [
        lawOver(
          1,
          "bias and angle",
          "compareEstimators says how far a truncated gradient is from the full one, and at what angle",
          1e-10,
          compared,
        ),
        lawOver(
          1,
          "verdicts",
          "checkEstimator finds an exact estimator right, and three that leave something out or count it twice wrong",
          0,
          verdicts,
        ),
      ],
    },
  ];
}
