/** The two directions in which vectors differ most. */
export interface Principal {
  /** A vector in these directions, from the mean of all. */
  project(vector: readonly number[]): readonly [first: number, second: number];
  /** The share of the variance in each direction. */
  readonly shares: readonly [first: number, second: number];
}

const dot = (a: readonly number[], b: readonly number[]) =>
  a.reduce((sum, x, i) => sum + x * b[i]!, 0);

/**
 * The two principal components of some vectors (Pearson 1901), by the power method on their Gram
 * matrix, which is small where there are few.
 */
export function principal(vectors: readonly (readonly number[])[]): Principal {
  const n = vectors.length;
  const mean = vectors[0]!.map((_, i) => vectors.reduce((sum, v) => sum + v[i]!, 0) / n);
  const centred = vectors.map((v) => v.map((x, i) => x - mean[i]!));
  const gram = centred.map((a) => centred.map((b) => dot(a, b)));
  const total = gram.reduce((sum, row, i) => sum + row[i]!, 0);
  const components: { value: number; vector: readonly number[] }[] = [];
  for (let k = 0; k < 2; k++) {
    const found = largest(gram);
    components.push(found);
    // What is left without that direction.
    for (const [i, row] of gram.entries()) {
      for (let j = 0; j < n; j++) row[j]! -= found.value * found.vector[i]! * found.vector[j]!;
    }
  }
  const directions = components.map(({ value, vector }) =>
    mean.map((_, i) => {
      const sum = centred.reduce((total, v, row) => total + v[i]! * vector[row]!, 0);
      return value > 0 ? sum / Math.sqrt(value) : 0;
    }),
  );
  const share = (k: number) => (total > 0 ? components[k]!.value / total : 0);
  return {
    project(vector) {
      const from = vector.map((x, i) => x - mean[i]!);
      return [dot(from, directions[0]!), dot(from, directions[1]!)];
    },
    shares: [share(0), share(1)],
  };
}

/** The largest eigenvalue of a matrix that is symmetric and not negative, with its vector. */
function largest(matrix: readonly (readonly number[])[]): {
  value: number;
  vector: readonly number[];
} {
  // Its longest row is in no unlucky direction.
  const start = matrix.toSorted((a, b) => dot(b, b) - dot(a, a))[0]!;
  let [value, vector] = [0, start as readonly number[]];
  for (let i = 0; i < 200; i++) {
    const length = Math.sqrt(dot(vector, vector));
    if (!(length > 0)) return { value: 0, vector: vector.map(() => 0) };
    const unit = vector.map((x) => x / length);
    const next = matrix.map((row) => dot(row, unit));
    value = Math.max(0, dot(unit, next));
    vector = next;
  }
  const length = Math.sqrt(dot(vector, vector)) || 1;
  return { value, vector: vector.map((x) => x / length) };
}
