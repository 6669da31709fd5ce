import { tensor } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { initialParams, lstm } from "@chronograd/rnn";
import { type Complex, jacobianSpectrum } from "@chronograd/rnn/flow";
import { describe, expect, test } from "vitest";
import {
  diagonal,
  linearMap,
  type MapCell,
  mapCell,
  orthogonal,
  plain,
  stateOf,
  stepsOf,
} from "./maps.ts";

const methods = ["dense", "krylov"] as const;

/** The spectrum of the Jacobian of the first step of a linear map. */
function spectrumOf(cell: MapCell, H: number, count: number, method: (typeof methods)[number]) {
  const { steps } = jacobianSpectrum(cell, plain, stepsOf(1, 1, H), { count, method });
  return steps[0]!;
}

function expectNear(found: readonly number[], expected: readonly number[], bound = 1e-9): void {
  expect(found.length).toBe(expected.length);
  for (const [i, x] of expected.entries()) {
    expect(Math.abs(found[i]! - x), `${found}, expected ${expected}`).toBeLessThanOrEqual(bound);
  }
}

const complexNumbers = (values: readonly Complex[]) => values.flat();

describe.each(methods)("spectra of Jacobians with closed forms, %s", (method) => {
  test("a diagonal matrix has its moduli and its entries", () => {
    const values = [0.5, -3, 0, 2, 1];
    const { singularValues, rows, norm, radius } = spectrumOf(
      linearMap(diagonal(values)),
      5,
      5,
      method,
    );
    expectNear(singularValues, [3, 2, 1, 0.5, 0]);
    expectNear([norm, radius], [3, 3]);
    expectNear(complexNumbers(rows[0]!.eigenvalues), [-3, 0, 2, 0, 1, 0, 0.5, 0, 0, 0]);
  });

  test("an orthogonal matrix times s has s alone, as often as there are rows", () => {
    const q = orthogonal(rng(1), 9).map((row) => row.map((x) => 0.7 * x));
    const { singularValues, radius } = spectrumOf(linearMap(q), 9, 9, method);
    expectNear([...singularValues, radius], new Array(10).fill(0.7));
  });

  test("a rotation times s has the eigenvalues s exp(+- i angle)", () => {
    const [s, angle] = [1.3, 0.4];
    const [c, d] = [s * Math.cos(angle), s * Math.sin(angle)];
    const { singularValues, rows, radius } = spectrumOf(
      linearMap([
        [c, -d],
        [d, c],
      ]),
      2,
      2,
      method,
    );
    expectNear([...singularValues, radius], [s, s, s]);
    expectNear(complexNumbers(rows[0]!.eigenvalues), [c, d, c, -d]);
  });

  test("a Jordan block has a norm above its radius", () => {
    // The singular values of [[a, 1], [0, a]] are sqrt(a^2 + 1/4) +- 1/2.
    const { singularValues, radius } = spectrumOf(
      linearMap([
        [0.9, 1],
        [0, 0.9],
      ]),
      2,
      2,
      method,
    );
    const root = Math.sqrt(0.81 + 0.25);
    expectNear(singularValues, [root + 0.5, root - 0.5]);
    // A double eigenvalue without a second vector is known to the root of the rounding.
    expectNear([radius], [0.9], 1e-7);
  });

  test.each([1e-200, 1e200])("a matrix times %d has the spectrum times it", (scale) => {
    const cell = linearMap([
      [scale, scale],
      [0, -scale],
    ]);
    // The squares of the singular values of [[1, 1], [0, -1]] are (3 +- sqrt 5) / 2.
    const { singularValues, radius } = spectrumOf(cell, 2, 2, method);
    expectNear(
      [...singularValues, radius].map((value) => value / scale),
      [(Math.sqrt(5) + 1) / 2, (Math.sqrt(5) - 1) / 2, 1],
    );
  });

  test("a step that forgets the state has a spectrum of zeros", () => {
    const { singularValues, radius } = spectrumOf(
      mapCell(3, (h) => h.mul(0)),
      3,
      2,
      method,
    );
    expectNear([...singularValues, radius], [0, 0, 0], 0);
  });

  test("of h_t = tanh(A h) it is that of numpy 2.4", () => {
    const at = (i: number, j: number) => Math.sin((i + 1) ** 2 * (j + 2.3));
    const matrix = Array.from({ length: 7 }, (_, i) => [0, 1, 2, 3, 4, 5, 6].map((j) => at(i, j)));
    const transposed = tensor(matrix, { dtype: "float64" }).transpose();
    const cell = mapCell(7, (h) => h.matmul(transposed).tanh());
    const state = stateOf([[0, 1, 2, 3, 4, 5, 6].map((i) => Math.cos(2 * i))]);
    const options = { count: 7, method, state };
    const { steps } = jacobianSpectrum(cell, plain, stepsOf(1, 1, 7), options);
    expectNear(
      steps[0]!.singularValues,
      [
        1.9739895192313939, 1.7834666808629296, 1.2514325545001161, 0.8155554702255243,
        0.5427533039997913, 0.026939246455690145, 0.00399076884123669,
      ],
    );
    expectNear(
      complexNumbers(steps[0]!.rows[0]!.eigenvalues),
      [
        -1.1812709772892604, 0, 0.8524965802588274, 0.6634525600536509, 0.8524965802588274,
        -0.6634525600536509, 0.8171904787945097, 0, -0.6167183430179026, 0, -0.03167317065529227, 0,
        -0.009528467808774144, 0,
      ],
    );
  });
});

test("products alone find what stands out among a thousand numbers", () => {
  const H = 1024;
  const random = rng(3);
  const factors = Float64Array.from({ length: H }, (_, i) =>
    i < 2 ? 1.5 - i : 0.3 * random.uniform(),
  );
  const scale = tensor(factors);
  const cell = mapCell(H, (h) => h.mul(scale));
  const { method, steps } = jacobianSpectrum(cell, plain, stepsOf(1, 1, H), { count: 2 });
  expect(method).toBe("krylov");
  expectNear([...steps[0]!.singularValues, steps[0]!.radius], [1.5, 0.5, 1.5]);
  const { residual } = steps[0]!.rows[0]!;
  expect(residual.singularValues).toBeLessThan(1e-8);
  expect(residual.eigenvalues).toBeLessThan(1e-8);
});

test("a bounded basis says how far it is from exact", () => {
  const values = Array.from({ length: 80 }, (_, i) => 1 - i / 100);
  const cell = linearMap(diagonal(values));
  const options = { method: "krylov", dimension: 8 } as const;
  const { steps } = jacobianSpectrum(cell, plain, stepsOf(1, 1, 80), options);
  const { residual, radius } = steps[0]!.rows[0]!;
  // Of a symmetric matrix an eigenvalue is as near as its residual.
  expect(Math.abs(radius - 1)).toBeGreaterThan(1e-6);
  expect(Math.abs(radius - 1)).toBeLessThan(residual.eigenvalues);
});

describe("rows", () => {
  const scales = tensor([[2], [4], [8]], { dtype: "float64" });
  const cell = mapCell(1, (h) => h.mul(scales));
  const inputs = tensor(new Float64Array(9), { shape: [3, 3, 1] });
  const mask = tensor(Int32Array.of(1, 1, 1, 0, 1, 1, 0, 0, 0), { shape: [3, 3] });

  test.each(methods)("are averaged where they take a step, %s", (method) => {
    const resets = tensor(Int32Array.of(0, 0, 0, 0, 0, 1, 0, 0, 0), { shape: [3, 3] });
    const stream = { inputs, mask, resets };
    const { steps } = jacobianSpectrum(cell, plain, stream, { method });
    expect(steps.map(({ t, norm, radius }) => [t, norm, radius])).toEqual([
      [1, 14 / 3, 14 / 3],
      [2, 4, 4],
    ]);
    expect(steps.map(({ rows }) => rows.map(({ row }) => row))).toEqual([[0, 1, 2], [1]]);
  });

  test("each third step is looked at, from the first", () => {
    const { steps } = jacobianSpectrum(cell, plain, stepsOf(8, 3, 1), { every: 3 });
    expect(steps.map(({ t }) => t)).toEqual([1, 4, 7]);
  });
});

test("float32 has the spectrum of float64", () => {
  const cell = lstm({ input: 2, hidden: 6 });
  const random = rng(5);
  const inputs = tensor(
    Float64Array.from({ length: 16 }, () => random.normal()),
    { shape: [4, 2, 2] },
  );
  const of = (dtype: "float32" | "float64", method: (typeof methods)[number]) => {
    const params = initialParams(cell, rng(4), { dtype });
    const given = { inputs: inputs.cast(dtype) };
    const { steps } = jacobianSpectrum(cell, params, given, { count: 3, method });
    return steps.flatMap(({ singularValues, radius }) => [...singularValues, radius]);
  };
  expectNear(of("float32", "dense"), of("float64", "dense"), 1e-5);
  expectNear(of("float32", "krylov"), of("float64", "dense"), 1e-5);
});
