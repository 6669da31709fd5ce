import type { Backend } from "../tensor/backend.ts";
import { bytesOf } from "../tensor/dtype.ts";
import { type Shape, sizeOf } from "../tensor/shape.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { apply } from "./apply.ts";
import type { OpDeclaration, Sample } from "./declare.ts";
import { kernelsOf } from "./kernels.ts";
import { moveWindow, type Part, type Window } from "./window.ts";

/**
 * A convolution of one size: `x` `[N, C, ...]`, `weight` `[O, C / groups, ...]`, `y` `[N, O, ...]`.
 */
export interface Convolution {
  readonly shapes: readonly [x: Shape, weight: Shape, y: Shape];
  readonly groups: number;
  readonly window: Window;
}

/** Places among the operands of a convolution. */
const [X, WEIGHT, Y] = [0, 1, 2] as const;

/** Elements of the columns that are unfolded at a time: they stay in the second cache. */
const tileElements = 2 ** 16;

/** The positions of a window in parts whose columns of `depth` elements are that many. */
function partsOf({ positions: [height, width] }: Window, depth: number): Part[] {
  const most = Math.max(1, Math.floor(tileElements / Math.max(1, depth)));
  const parts: Part[] = [];
  // As even as can be: whole rows, or, where they are too long, pieces of one.
  const rows = Math.ceil(height / Math.ceil(height / Math.max(1, Math.floor(most / width))));
  const cols = Math.ceil(width / Math.ceil(width / most));
  for (let row = 0; row < height; row += rows) {
    for (let col = 0; col < width; col += cols) {
      parts.push({
        row,
        col,
        rows: Math.min(rows, height - row),
        cols: Math.min(cols, width - col),
      });
    }
  }
  return parts;
}

/**
 * Computes one operand of a convolution from the two others, `y = W unfold(x)`,
 * `x = fold(W' y)` or `W = y unfold(x)'`, image by image, group by group, part by part: one part of
 * the unfolded image exists at a time.
 */
function compute(
  backend: Backend,
  makes: number,
  operands: readonly Tensor[],
  { shapes, groups, window }: Convolution,
  accumulate: boolean,
): void {
  const [x, weight, y] = operands as [Tensor, Tensor, Tensor];
  const made = operands[makes]!;
  const { matmul, fill } = kernelsOf(backend, made);
  if (makes !== Y && !accumulate) fill(made.size, 0, made.pointer);
  const [[images, channels], [features]] = shapes as [[number, number], [number], Shape];
  const bytes = bytesOf[made.dtype];
  const own = channels / groups;
  const out = features / groups;
  const depth = own * sizeOf(window.kernel);
  const positions = sizeOf(window.positions);
  const parts = partsOf(window, depth);
  const [{ rows, cols }] = parts as [Part];
  const scratchBytes = depth * rows * cols * bytes;
  const columns = backend.memory.allocate(scratchBytes);
  for (let i = 0; i < images * groups; i++) {
    const image = x.pointer + i * own * sizeOf(window.image) * bytes;
    const w = weight.pointer + (i % groups) * out * depth * bytes;
    for (const part of parts) {
      const n = part.rows * part.cols;
      const at = i * out * positions + part.row * window.positions[1] + part.col;
      const to = y.pointer + at * bytes;
      if (makes === X) {
        matmul(depth, n, out, w, depth, 1, to, positions, 0, columns, n, 0);
        moveWindow(backend, "fold", made, window, own, part, columns, image);
        continue;
      }
      moveWindow(backend, "unfold", made, window, own, part, image, columns);
      if (makes === Y)
        matmul(out, n, depth, w, depth, 0, columns, n, 0, to, positions, +accumulate);
      else matmul(out, depth, n, to, positions, 0, columns, n, 1, w, depth, 1);
    }
  }
  backend.memory.release(columns, scratchBytes);
}

/**
 * The ops that compute `x`, `weight` and `y` of a convolution from the two others. The sum of
 * `y` times its cotangent is linear in each of the three, so the gradient of each op by each
 * operand is another one of them. @internal
 */
export function convolution(name: string, samples: readonly Sample[]): OpDeclaration<Convolution> {
  const all = ["x", "weight", "y"];
  const declarations = [`${name}Input`, `${name}Weight`, name].map(
    (called, makes): OpDeclaration<Convolution> => {
      const given = [X, WEIGHT, Y].filter((place) => place !== makes);
      /** All operands, `made` and the inputs, with `value` in place of one of these. */
      const operands = (made: Tensor | null, inputs: readonly Tensor[], i = -1, value?: Tensor) => {
        const list: Tensor[] = [];
        list[makes] = made!;
        given.forEach((place, at) => {
          list[place] = at === i ? value! : inputs[at]!;
        });
        return list;
      };
      return {
        name: called,
        inputs: given.map((place) => all[place]!),
        shape: (_inputs, { shapes }) => shapes[makes]!,
        forward: (backend, inputs, output, attributes) =>
          compute(backend, makes, operands(output, inputs), attributes, false),
        residuals: { inputs: [0, 1], output: false },
        vjp: (g, { inputs, attributes }, i) =>
          apply(
            declarations[given[i]!]!,
            operands(g, inputs).filter((_, place) => place !== given[i]),
            attributes,
          ),
        accumulate: given.map(
          (place, i) =>
            (g, { inputs, attributes }, into) =>
              compute(into.block.backend, place, operands(g, inputs, i, into), attributes, true),
        ),
        jvp: (tangents, { inputs, attributes }) =>
          tangents
            .map((dx, i) => dx && apply(declarations[makes]!, inputs.with(i, dx), attributes))
            .reduce((a, b) => (a && b ? a.add(b) : (a ?? b)))!,
        samples: makes === Y ? samples : [],
      };
    },
  );
  return declarations[Y]!;
}
