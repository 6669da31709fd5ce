import { grad, type Tensor, tensor } from "@chronograd/autodiff";
import type { Finding, Law } from "@chronograd/autodiff/testing";
import { rng } from "@chronograd/nn";
import { elman, initialParams } from "@chronograd/rnn";
import {
  fixedPoints,
  gradientFlossing,
  jacobianSpectrum,
  lyapunovSpectrum,
} from "@chronograd/rnn/flow";
import {
  diagonal,
  linearMap,
  orthogonal,
  plain,
  product,
  stateOf,
  stepsOf,
  transpose,
  triangular,
} from "./maps.ts";

/** The largest distance of numbers from those that are expected. */
function distance(found: readonly number[], expected: readonly number[], what: string): Finding {
  const errors = expected.map((value, i) => Math.abs((found[i] ?? NaN) - value));
  const error = found.length === expected.length ? Math.max(...errors) : Infinity;
  return { error, cases: expected.length, what: `${what}: ${found}, expected ${expected}` };
}

function worst(findings: readonly Finding[]): Finding {
  const cases = findings.reduce((sum, each) => sum + each.cases, 0);
  const first = findings.toSorted((a, b) => (b.error >= a.error ? 1 : -1))[0]!;
  return { ...first, cases };
}

const descending = (values: readonly number[]) => values.toSorted((a, b) => b - a);

/** `A = U diag(s) V'` for random orthogonal U and V has the singular values s. */
const singular: Law = {
  name: "singular values",
  statement: "U diag(s) V' has the singular values s, decomposed or met in products alone",
  bound: 1e-9,
  measure(seed) {
    const random = rng(seed, "singular values");
    const H = 16 + random.integer(0, 8);
    const values = descending(Array.from({ length: H }, () => random.uniform() * 2));
    const [u, v] = [orthogonal(random, H), orthogonal(random, H)];
    const cell = linearMap(product(product(u, diagonal(values)), v));
    const findings = (["dense", "krylov"] as const).map((method) => {
      const { steps } = jacobianSpectrum(cell, plain, stepsOf(1, 1, H), { count: 4, method });
      return distance(steps[0]!.singularValues, values.slice(0, 4), method);
    });
    return worst(findings);
  },
};

/** `A = Q T Q'` with T upper triangular has the eigenvalues on the diagonal of T. */
const eigenvalues: Law = {
  name: "eigenvalues",
  statement:
    "Q T Q' with T triangular has the eigenvalues of T, decomposed or met in products alone",
  bound: 1e-9,
  measure(seed) {
    const random = rng(seed, "eigenvalues");
    const H = 10 + random.integer(0, 6);
    const sizes = Array.from({ length: H }, (_, i) => 1.5 * 0.8 ** i);
    const values = sizes.map((size) => (random.uniform() < 0.5 ? -size : size));
    const q = orthogonal(random, H);
    const cell = linearMap(product(product(q, triangular(random, values)), transpose(q)));
    const findings = (["dense", "krylov"] as const).flatMap((method) => {
      const { steps } = jacobianSpectrum(cell, plain, stepsOf(1, 1, H), { count: 3, method });
      const found = steps[0]!.rows[0]!.eigenvalues;
      return [
        distance([steps[0]!.radius], sizes.slice(0, 1), `${method}, radius`),
        distance(
          found.flat(),
          values.slice(0, 3).flatMap((value) => [value, 0]),
          method,
        ),
      ];
    });
    return worst(findings);
  },
};

const exponents: Law = {
  name: "exponents",
  statement: "the exponents of h_t = A h_{t-1} are log |lambda_i|",
  bound: 1e-6,
  measure(seed) {
    const random = rng(seed, "exponents");
    const values = [1.1, -0.8, 0.5, -0.3].map((value) => value * (1 + 0.1 * random.uniform()));
    const q = orthogonal(random, 4);
    const cell = linearMap(product(product(q, triangular(random, values)), transpose(q)));
    const every = 1 + random.integer(0, 3);
    const found = lyapunovSpectrum(cell, plain, stepsOf(150, 2, 4), { warmUp: 90, every });
    return worst([
      distance(
        found.exponents,
        values.map((value) => Math.log(Math.abs(value))),
        "all",
      ),
      distance(found.spread, [0, 0, 0, 0], "spread"),
      distance(found.errors, [0, 0, 0, 0], "errors"),
    ]);
  },
};

const flossing: Law = {
  name: "flossing",
  statement:
    "the flossing loss is the mean of the squared exponents, and its gradient that of differences",
  bound: 1e-8,
  measure(seed) {
    const random = rng(seed, "flossing");
    const cell = elman({ input: 2, hidden: 3 });
    const params = initialParams(cell, random, { dtype: "float64" });
    const inputs = tensor(
      Float64Array.from({ length: 20 }, () => random.normal()),
      { shape: [5, 2, 2] },
    );
    const stream = {
      inputs,
      lengths: [5, 4],
      resets: tensor(Int32Array.of(0, 0, 0, 0, 1, 0, 0, 0, 0, 0), { shape: [5, 2] }),
    };
    const target = random.normal() / 4;
    const loss = (p: typeof params) => gradientFlossing(cell, p, stream, { count: 2, target });
    const { exponents: found } = lyapunovSpectrum(cell, params, stream, { count: 2, warmUp: 0 });
    const mean = found.reduce((sum, each) => sum + (each - target) ** 2 / 2, 0);
    const W = params as unknown as Record<string, Tensor>;
    const gradient = grad(loss)(params) as unknown as Record<string, Tensor>;
    const h = 1e-4;
    const at = (step: number) => {
      const moved = Object.fromEntries(
        Object.entries(W).map(([name, x]) => [name, x.add(gradient[name]!.mul(step))]),
      );
      return loss(moved as unknown as typeof params).item();
    };
    // Along the gradient the derivative is its square; differences of fourth order.
    const slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
    const square = Object.values(gradient).reduce((sum, g) => sum + g.square().sum().item(), 0);
    return worst([
      distance([loss(params).item()], [mean], "loss"),
      distance([square], [slope], "gradient"),
    ]);
  },
};

const fixed: Law = {
  name: "fixed points",
  statement: "h = A h + x has the one fixed point (I - A)^-1 x, with the eigenvalues of A",
  bound: 1e-9,
  measure(seed) {
    const random = rng(seed, "fixed points");
    const values = [1.4, -0.9, 0.6, 0.2];
    const q = orthogonal(random, 4);
    const a = product(product(q, triangular(random, values)), transpose(q));
    const h = Array.from({ length: 4 }, () => random.normal());
    const x = h.map((each, i) => each - a[i]!.reduce((sum, y, j) => sum + y * h[j]!, 0));
    const starts = Array.from({ length: 3 }, () => h.map(() => 5 * random.normal()));
    const { points, lost } = fixedPoints(linearMap(a), plain, {
      input: tensor([x], { dtype: "float64" }),
      starts: stateOf(starts),
    });
    const [point] = points;
    return worst([
      distance([points.length, lost, point!.found, point!.unstable], [1, 0, 3, 1], "counts"),
      distance(point!.state, h, "state"),
      distance(
        point!.eigenvalues.flat(),
        values.flatMap((value) => [value, 0]),
        "eigenvalues",
      ),
    ]);
  },
};

/** Laws of spectra of Jacobians, exponents, flossing and fixed points. */
export const spectraLaws: readonly Law[] = [singular, eigenvalues, exponents, flossing, fixed];
