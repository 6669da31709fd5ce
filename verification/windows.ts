import { grad, scope, stack, type Tensor, tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { type Rng, rng } from "@chronograd/nn";
import type { Subject } from "./subject.ts";
import { Tally, values } from "./tally.ts";

type Pair = readonly [number, number];

/** How a window moves. */
interface Moves {
  readonly kernel: Pair;
  readonly stride: Pair;
  readonly padding: Pair;
  readonly dilation: Pair;
}

/**
 * By pixel of the window: what it sees from all positions, as strided slices of the padded image.
 */
function views(x: Tensor, { kernel, stride, padding, dilation }: Moves, outside = 0): Tensor[] {
  const around = padding.map((width): Pair => [width, width]);
  const padded = x.pad([[0, 0], [0, 0], ...around], outside);
  const reach = kernel.map((length, axis) => (length - 1) * dilation[axis]! + 1);
  return Array.from({ length: kernel[0] * kernel[1] }, (_, at) => {
    const first = [Math.floor(at / kernel[1]) * dilation[0], (at % kernel[1]) * dilation[1]];
    const ranges = first.map((start, axis): readonly [number, number, number] => {
      return [start, padded.shape[axis + 2]! - reach[axis]! + 1 + start, stride[axis]!];
    });
    return padded.slice([null, null, ...ranges]);
  });
}

/** A convolution as a sum of products, one for each pixel of the window. */
function convolved(x: Tensor, weight: Tensor, moves: Moves, groups: number): Tensor {
  const [features, own] = weight.shape as [number, number];
  const pixels = weight.reshape([groups, features / groups, own, -1]);
  return views(x, moves)
    .map((view, at) => {
      const [n, , ...positions] = view.shape as [number, number, number, number];
      const kernel = pixels.slice([null, null, null, at]);
      const columns = view.reshape([n, groups, own, positions[0] * positions[1]]);
      return kernel.matmul(columns).reshape([n, features, ...positions]);
    })
    .reduce((a, b) => a.add(b));
}

class Draw {
  readonly #random: Rng;

  constructor(seed: number, name: string) {
    this.#random = rng(seed, name);
  }

  number(low: number, high: number): number {
    return this.#random.integer(low, high + 1);
  }

  pair(low: number, high: number): Pair {
    return [this.number(low, high), this.number(low, high)];
  }

  normal(...shape: number[]): Tensor {
    const elements = { length: shape.reduce((a, b) => a * b, 1) };
    return tensor(
      Float64Array.from(elements, () => this.#random.normal()),
      { shape },
    );
  }

  /** A window, and images that it fits into at least once. */
  moves(): { moves: Moves; image: Pair } {
    const kernel = this.pair(1, 4);
    const [stride, padding, dilation] = [this.pair(1, 3), this.pair(0, 2), this.pair(1, 3)];
    const along = (axis: 0 | 1) =>
      Math.max(1, (kernel[axis] - 1) * dilation[axis] + 1 - 2 * padding[axis]) + this.number(0, 5);
    return { moves: { kernel, stride, padding, dilation }, image: [along(0), along(1)] };
  }
}

/** Two functions of the same values: theirs, and their gradients under a random cotangent. */
function compare(
  tally: Tally,
  draw: Draw,
  inputs: readonly Tensor[],
  found: (inputs: readonly Tensor[]) => Tensor,
  expected: (inputs: readonly Tensor[]) => Tensor,
  where: string,
): void {
  const [y, truth] = [found(inputs), expected(inputs)];
  tally.check(y.shape.join() === truth.shape.join(), () => `${where}: ${y.shape}`);
  tally.list(values(y), values(truth), `${where}: values`);
  const g = draw.normal(...truth.shape);
  const [mine, theirs] = [found, expected].map((f) =>
    grad((all: readonly Tensor[]) => f(all).mul(g).sum())(inputs),
  );
  for (const [i, x] of mine!.entries()) {
    tally.list(values(x), values(theirs![i]!), `${where}: gradient ${i}`);
  }
}

function law(name: string, statement: string, measure: (draw: Draw, tally: Tally) => void): Law {
  return {
    name,
    statement,
    bound: 1e-12,
    measure(seed) {
      const tally = new Tally();
      scope(() => measure(new Draw(seed, name), tally));
      return tally;
    },
  };
}

const small = law(
  "convolutions",
  "conv2d and its gradients are those of a sum of products of strided slices, whatever stride, padding, dilation and groups",
  (draw, tally) => {
    const { moves, image } = draw.moves();
    const [groups, own, out, n] = [draw.number(1, 3), draw.number(1, 3), draw.number(1, 3), 2];
    const { kernel, ...options } = moves;
    compare(
      tally,
      draw,
      [draw.normal(n, groups * own, ...image), draw.normal(groups * out, own, ...kernel)],
      ([x, w]) => x!.conv2d(w!, { ...options, groups }),
      ([x, w]) => convolved(x!, w!, moves, groups),
      JSON.stringify({ image, ...moves, groups }),
    );
  },
);

const large = law(
  "parts",
  "a convolution that is computed in several parts is the same sum",
  (draw, tally) => {
    const moves: Moves = { kernel: [3, 3], stride: [1, 1], padding: [1, 1], dilation: [1, 1] };
    const images: Pair[] = [
      [2, 900 + draw.number(0, 9)],
      [35, 30 + draw.number(0, 9)],
    ];
    for (const image of images) {
      compare(
        tally,
        draw,
        [draw.normal(1, 16, ...image), draw.normal(2, 16, 3, 3)],
        ([x, w]) => x!.conv2d(w!, { padding: 1 }),
        ([x, w]) => convolved(x!, w!, moves, 1),
        `images of ${image}`,
      );
    }
  },
);

const pools = law(
  "pools",
  "maxPool2d and averagePool2d are the largest element and the mean of strided slices; columns are these slices",
  (draw, tally) => {
    const { moves, image } = draw.moves();
    const { kernel, stride } = moves;
    const padding = kernel.map((size) => draw.number(0, size >> 1)) as unknown as Pair;
    const own: Moves = { kernel, stride, padding, dilation: [1, 1] };
    const larger = image.map((length, axis) => length + kernel[axis]!);
    const where = JSON.stringify({ image: larger, ...own });
    const x = [draw.normal(2, 2, ...larger)];
    const all = (outside: number) => (inputs: readonly Tensor[]) =>
      stack(views(inputs[0]!, own, outside));
    const options = { stride, padding };
    compare(
      tally,
      draw,
      x,
      ([z]) => z!.maxPool2d(kernel, options),
      (z) => all(-Infinity)(z).max(0),
      where,
    );
    compare(
      tally,
      draw,
      x,
      ([z]) => z!.averagePool2d(kernel, options),
      (z) => all(0)(z).mean(0),
      where,
    );
    const { kernel: size, ...spread } = moves;
    const columns = ([z]: readonly Tensor[]) => {
      const seen = stack(views(z!, moves), 2);
      return seen.reshape([2, seen.shape[1]! * size[0] * size[1], -1]);
    };
    compare(
      tally,
      draw,
      [draw.normal(2, 2, ...image)],
      ([z]) => z!.unfold(size, spread),
      columns,
      where,
    );
  },
);

/** What a window that moves over images sees, and what is computed of it. */
export function windowSubject(): Subject {
  return { name: "windows", group: "windows", laws: [small, large, pools] };
}
