import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compile, createBackend, grad, ones, type Tensor, tensor, zeros } from "../../src/index.ts";
import { referenceKernels } from "../../src/reference.ts";

type Pair = [number, number];

/** How a window moves over an image, in the words of the options. */
interface Moves {
  readonly image: Pair;
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
}

const pair = (min: number, max: number) =>
  fc.tuple(fc.integer({ min, max }), fc.integer({ min, max }));

const outputOf = ({ image, kernel, stride, padding, dilation }: Moves): Pair =>
  image.map(
    (length, axis) =>
      Math.floor(
        (length + 2 * padding[axis]! - dilation[axis]! * (kernel[axis]! - 1) - 1) / stride[axis]!,
      ) + 1,
  ) as Pair;

const moves = fc
  .record({
    image: pair(1, 9),
    kernel: pair(1, 4),
    stride: pair(1, 3),
    padding: pair(0, 3),
    dilation: pair(1, 3),
  })
  .filter((each) => outputOf(each).every((length) => length >= 1));

const convolutions = fc.record({
  moves,
  images: fc.integer({ min: 0, max: 2 }),
  groups: fc.integer({ min: 1, max: 3 }),
  own: fc.integer({ min: 1, max: 3 }),
  out: fc.integer({ min: 1, max: 3 }),
});

/** Whole numbers, of which sums and products are exact. */
const numbers = (shape: readonly number[], salt: number): number[] =>
  Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => ((i * 7 + salt * 5) % 11) - 5);

/** Calls `visit` with the places in `x`, `weight` and `y` of each product of a convolution. */
function eachProduct(
  {
    moves,
    images,
    groups,
    own,
    out,
  }: Readonly<Record<"images" | "groups" | "own" | "out", number>> & {
    readonly moves: Moves;
  },
  visit: (x: number, weight: number, y: number) => void,
): void {
  const { image, kernel, stride, padding, dilation } = moves;
  const [height, width] = outputOf(moves);
  for (let n = 0; n < images; n++)
    for (let o = 0; o < groups * out; o++)
      for (let r = 0; r < height; r++)
        for (let s = 0; s < width; s++)
          for (let c = 0; c < own; c++)
            for (let i = 0; i < kernel[0]; i++)
              for (let j = 0; j < kernel[1]; j++) {
                const row = r * stride[0] + i * dilation[0] - padding[0];
                const col = s * stride[1] + j * dilation[1] - padding[1];
                if (row < 0 || row >= image[0] || col < 0 || col >= image[1]) continue;
                const channel = Math.floor(o / out) * own + c;
                visit(
                  ((n * groups * own + channel) * image[0] + row) * image[1] + col,
                  ((o * own + c) * kernel[0] + i) * kernel[1] + j,
                  ((n * groups * out + o) * height + r) * width + s,
                );
              }
}

const backends = [
  ["simd-relaxed", "float64"],
  ["simd-relaxed", "float32"],
  ["simd-plain", "float32"],
  ["reference", "float64"],
] as const;

describe.each(backends)("on %s kernels in %s", (kernels, dtype) => {
  const backend =
    kernels === "reference"
      ? createBackend({ kernels: referenceKernels })
      : createBackend({ kernels });
  const put = (values: readonly number[], shape: readonly number[]) =>
    tensor(Float64Array.from(values), { shape, dtype, backend });
  const flat = (x: Tensor) => Array.from(x.toTypedArray(), (value) => value + 0);

  test("conv2d and its gradients are sums of products over windows", () => {
    fc.assert(
      fc.property(convolutions, (given) => {
        const { images, groups, own, out } = given;
        const { image, kernel, ...options } = given.moves;
        const shapes = {
          x: [images, groups * own, ...image],
          weight: [groups * out, own, ...kernel],
          y: [images, groups * out, ...outputOf(given.moves)],
        };
        const x = numbers(shapes.x, 1);
        const weight = numbers(shapes.weight, 2);
        const g = numbers(shapes.y, 3);
        const expected = [x, weight, g].map((values) => values.map(() => 0));
        eachProduct(given, (a, b, c) => {
          expected[0]![a]! += weight[b]! * g[c]!;
          expected[1]![b]! += x[a]! * g[c]!;
          expected[2]![c]! += x[a]! * weight[b]!;
        });
        const [tx, tw, tg] = [put(x, shapes.x), put(weight, shapes.weight), put(g, shapes.y)];
        const convolved = tx.conv2d(tw, { ...options, groups });
        expect(convolved.shape).toEqual(shapes.y);
        expect(flat(convolved)).toEqual(expected[2]);
        const [dx, dw] = grad(([a, b]: readonly [Tensor, Tensor]) =>
          a
            .conv2d(b, { ...options, groups })
            .mul(tg)
            .sum(),
        )([tx, tw] as const);
        expect(flat(dx)).toEqual(expected[0]);
        expect(flat(dw)).toEqual(expected[1]);
      }),
    );
  });

  test("conv1d is conv2d of images with one row", () => {
    fc.assert(
      fc.property(convolutions, ({ moves, images, groups, own, out }) => {
        const [length, size] = [moves.image[1], moves.kernel[1]];
        const [stride, padding, dilation] = [moves.stride, moves.padding, moves.dilation].map(
          ([, along]) => along,
        ) as [number, number, number];
        const x = put(numbers([images * groups * own * length], 1), [images, groups * own, length]);
        const w = put(numbers([groups * out * own * size], 2), [groups * out, own, size]);
        const alone = x.conv1d(w, { stride, padding, dilation, groups });
        const within = x.expandDims(2).conv2d(w.expandDims(2), {
          stride: [1, stride],
          padding: [0, padding],
          dilation: [1, dilation],
          groups,
        });
        expect(alone.toArray()).toEqual(within.squeeze(2).toArray());
      }),
    );
  });

  test("a large convolution, in several parts, is the product of the unfolded images", () => {
    const cases = [
      { x: [2, 40, 31, 45], weight: [6, 20, 3, 3], padding: 1, groups: 2 },
      { x: [1, 130, 1, 700], weight: [3, 130, 1, 5], padding: 0, groups: 1 },
    ];
    for (const { x: xShape, weight: wShape, padding, groups } of cases) {
      const x = put(numbers(xShape, 1), xShape);
      const w = put(numbers(wShape, 2), wShape);
      const y = x.conv2d(w, { padding, groups });
      const kernel = wShape.slice(2) as Pair;
      const columns = x.unfold(kernel, { padding });
      const depth = columns.shape[1]! / groups;
      const byGroup = columns.reshape([xShape[0]!, groups, depth, -1]);
      const weights = w.reshape([groups, wShape[0]! / groups, depth]);
      expect(flat(y)).toEqual(flat(weights.matmul(byGroup)));
    }
  });

  test("unfold takes the pixels of windows, and fold is its transpose", () => {
    fc.assert(
      fc.property(moves, pair(0, 3), ({ image, kernel, ...options }, [n, c]) => {
        const x = put(numbers([n, c, ...image], 1), [n, c, ...image]);
        const columns = x.unfold(kernel, options);
        const identity = put(
          numbers([c * kernel[0] * kernel[1] * c * kernel[0] * kernel[1]], 0).map(
            (_, i) => +(i % (c * kernel[0] * kernel[1] + 1) === 0),
          ),
          [c * kernel[0] * kernel[1], c, ...kernel],
        );
        const positions = columns.shape[2]!;
        // A convolution by all unit kernels copies the pixels.
        const copied = x.conv2d(identity, options).reshape([n, identity.shape[0]!, positions]);
        expect(columns.toArray()).toEqual(copied.toArray());
        const g = put(numbers(columns.shape, 2), columns.shape);
        const back = grad((z: Tensor) => z.unfold(kernel, options).mul(g).sum())(x);
        expect(g.fold(image, kernel, options).toArray()).toEqual(back.toArray());
        expect(columns.mul(g).sum().item()).toBe(x.mul(back).sum().item());
      }),
    );
  });

  test("pools take the largest, or the mean, of each window", () => {
    const pooled = fc
      .record({ image: pair(1, 8), kernel: pair(1, 4), stride: pair(1, 3), halves: pair(0, 1) })
      .map(({ halves, ...rest }) => ({
        ...rest,
        padding: rest.kernel.map((size, axis) => halves[axis]! * (size >> 1)) as Pair,
        dilation: [1, 1] as Pair,
      }))
      .filter((each) => outputOf(each).every((length) => length >= 1));
    fc.assert(
      fc.property(pooled, (given) => {
        const { image, kernel, stride, padding } = given;
        const shape = [2, 2, ...image];
        const values = numbers(shape, 4);
        const output = [2, 2, ...outputOf(given)];
        const windows = numbers(output, 0).map((): number[] => []);
        const one = { moves: given, images: 4, groups: 1, own: 1, out: 1 };
        eachProduct(one, (a, _b, c) => windows[c]!.push(values[a]!));
        const x = put(values, shape);
        const round = dtype === "float32" ? Math.fround : Number;
        const largest = x.maxPool2d(kernel, { stride, padding });
        expect(largest.shape).toEqual(output);
        expect(flat(largest)).toEqual(windows.map((seen) => Math.max(...seen) + 0));
        const means = x.averagePool2d(kernel, { stride, padding });
        const size = kernel[0] * kernel[1];
        expect(flat(means)).toEqual(
          windows.map((seen) => round(seen.reduce((a, b) => a + b, 0) / size) + 0),
        );
        if (image[0] > 1 || kernel[0] > 1) return;
        const options = { stride: stride[1], padding: padding[1] };
        const row = x.squeeze(2);
        expect(flat(row.maxPool1d(kernel[1], options))).toEqual(flat(largest));
        expect(flat(row.averagePool1d(kernel[1], options))).toEqual(flat(means));
      }),
    );
  });
});

test("equal elements of a window share the gradient of maxPool2d, and padding takes none", () => {
  const x = tensor([
    [
      [
        [-1, -1],
        [-2, -3],
      ],
    ],
  ]);
  const pool = (z: Tensor) => z.maxPool2d(2, { padding: 1, stride: 1 }).sum();
  // Windows: [-1], [-1,-1], [-1], [-1,-2], [-1,-1,-2,-3], [-1,-3], [-2], [-2,-3], [-3].
  expect(grad(pool)(x).toArray()).toEqual([
    [
      [
        [1 + 0.5 + 1 + 0.5, 0.5 + 1 + 0.5 + 1],
        [2, 1],
      ],
    ],
  ]);
});

test("padding names: valid is none, same keeps the size and puts what is odd behind", () => {
  const x = tensor([[[1, 2, 4, 8]]]);
  expect(x.conv1d(ones([1, 1, 2]), { padding: "valid" }).toArray()).toEqual([[[3, 6, 12]]]);
  expect(x.conv1d(ones([1, 1, 2]), { padding: "same" }).toArray()).toEqual([[[3, 6, 12, 8]]]);
  const spread = { padding: "same", dilation: 2 } as const;
  expect(x.conv1d(ones([1, 1, 3]), spread).toArray()).toEqual([[[5, 10, 5, 10]]]);
});

test("NaN and Infinity reach the windows that see them, and padding makes none", () => {
  const x = tensor([[[[Number.NaN, 1, 1, Infinity]]]]);
  const y = x.conv2d(ones([1, 1, 1, 2]), { padding: [0, 1] });
  expect(y.toArray()).toEqual([[[[Number.NaN, Number.NaN, 2, Infinity, Infinity]]]]);
  expect(x.maxPool2d([1, 2]).toArray()).toEqual([[[[Number.NaN, Infinity]]]]);
});

test("a compiled convolution by constant weights is the recorded one", () => {
  const x = tensor(Float64Array.from(numbers([3, 2, 4, 5], 1)), { shape: [3, 2, 4, 5] });
  const w = tensor(Float64Array.from(numbers([4, 2, 3, 3], 2)), { shape: [4, 2, 3, 3] });
  const f = (z: Tensor) => {
    const y = z.conv2d(w, { padding: 1 });
    return y.mul(y).sum();
  };
  const byInput = grad(f);
  const compiled = compile(byInput);
  for (let run = 0; run < 3; run++) {
    const at = x.mul(run + 1);
    expect(compiled(at).toArray()).toEqual(byInput(at).toArray());
  }
});

test("of no images every pool is empty", () => {
  const none = zeros([0, 2, 4, 4]);
  for (const pool of [none.maxPool2d(2), none.averagePool2d(2)]) {
    expect(pool.shape).toEqual([0, 2, 2, 2]);
  }
  expect(zeros([0, 1, 4]).maxPool1d(2).shape).toEqual([0, 1, 2]);
});
