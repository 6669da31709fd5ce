import { concat, type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { init, type Rng } from "@chronograd/nn";
import { type Cell, defineCell } from "@chronograd/rnn";

const float64 = { dtype: "float64" } as const;

type Vector = ReturnType<typeof init.zeros>;

/** A map of states `[B, size]`, with a parameter that is added. */
export type MapCell = Cell<{ readonly shift: Vector }, { readonly h: Vector }>;

/** A map as a cell, `h_t = f(h_{t-1}) + shift + x_t`. */
export function mapCell(size: number, f: (h: Tensor) => Tensor): MapCell {
  return defineCell({
    params: () => ({ shift: init.zeros(size) }),
    state: () => ({ h: init.zeros(size) }),
    step: ({ shift }, x: Tensor, { h }) => {
      const next = f(h).add(shift).add(x);
      return [next, { h: next }];
    },
  })({ input: size, hidden: size });
}

/** A map as it is, in float64. */
export const plain: { readonly shift: Tensor } = { shift: zeros([1], float64) };

/** `h_t = h_{t-1} A' + x_t`, whose Jacobian is A. */
export function linearMap(rows: readonly (readonly number[])[]): MapCell {
  const transposed = tensor(transpose(rows), float64);
  return mapCell(rows.length, (h) => h.matmul(transposed));
}

/** T steps without inputs for B rows of a map. */
export function stepsOf(T: number, B: number, size: number): { readonly input: Tensor }[] {
  const input = tensor(new Float64Array(B * size), { shape: [B, size] });
  return Array.from({ length: T }, () => ({ input }));
}

/** A state of a map. */
export function stateOf(rows: number[][]): { h: Tensor } {
  return { h: tensor(rows, float64) };
}

/** The logistic map, whose exponent is ln 2. */
export const logistic: MapCell = mapCell(1, (h) => h.mul(4).mul(h.neg().add(1)));

/** The cat map of Arnold, whose exponents are the logarithms of `(3 +- sqrt 5) / 2`. */
export const cat: MapCell = mapCell(2, (h) => {
  const turned = h.matmul(
    tensor(
      [
        [2, 1],
        [1, 1],
      ],
      float64,
    ),
  );
  return turned.sub(turned.floor());
});

/** The map of Hénon (1976) with a = 1.4 and b = 0.3. */
export const henon: MapCell = mapCell(2, (h) => {
  const [x, y] = h.split([1, 1], -1) as [Tensor, Tensor];
  return concat([x.square().mul(-1.4).add(1).add(y), x.mul(0.3)], -1);
});

/** A product of two square matrices. */
export function product(
  a: readonly (readonly number[])[],
  b: readonly (readonly number[])[],
): number[][] {
  return a.map((row) => b[0]!.map((_, j) => row.reduce((sum, x, k) => sum + x * b[k]![j]!, 0)));
}

export function transpose(a: readonly (readonly number[])[]): number[][] {
  return a[0]!.map((_, j) => a.map((row) => row[j]!));
}

/** A random orthogonal matrix: a product of n reflections. */
export function orthogonal(random: Rng, n: number): number[][] {
  let q = diagonal(new Array<number>(n).fill(1));
  for (let k = 0; k < n; k++) {
    const v = Array.from({ length: n }, () => random.normal());
    const square = v.reduce((sum, x) => sum + x * x, 0);
    q = product(
      q,
      v.map((x, i) => v.map((y, j) => Number(i === j) - (2 * x * y) / square)),
    );
  }
  return q;
}

export function diagonal(values: readonly number[]): number[][] {
  return values.map((value, i) => values.map((_, j) => (i === j ? value : 0)));
}

/** An upper triangular matrix with these eigenvalues, and random numbers above them. */
export function triangular(random: Rng, values: readonly number[]): number[][] {
  return values.map((value, i) =>
    values.map((_, j) => (i === j ? value : i < j ? 0.3 * random.normal() : 0)),
  );
}
