import {
  customGradient,
  layerNormalize,
  ones,
  stack,
  type Tensor,
  tensor,
  timeStep,
  where,
  zeros,
} from "@chronograd/autodiff";
import { init, rng } from "@chronograd/nn";
import { type Cell, defineCell } from "../../src/index.ts";

const parts = {
  params: ({ input, hidden }: { input: number; hidden: number }) => ({
    W: init.glorot(input, hidden),
    U: init.glorot(hidden, hidden),
  }),
  state: ({ hidden }: { input: number; hidden: number }) => ({ h: init.zeros(hidden) }),
};
type Params = ReturnType<typeof parts.params>;
type State = ReturnType<typeof parts.state>;

/** An Elman cell in which something is done to the values before the activation. */
function cellWith(change: (sum: Tensor, x: Tensor) => Tensor): Cell<Params, State> {
  return defineCell({
    ...parts,
    step: ({ W, U }, x: Tensor, { h }) => {
      const next = change(x.matmul(W).add(h.matmul(U)), x).tanh();
      return [next, { h: next }];
    },
  })({ input: 2, hidden: 5 });
}

const centred = (z: Tensor, axis: number): Tensor => {
  const d = z.sub(z.mean(axis, { keepDims: true }));
  return d.div(d.square().mean(axis, { keepDims: true }).add(1e-5).sqrt());
};

let left: Float32Array | Float64Array | Int32Array | undefined;
let calls = 0;

/** The cell as it should be, and steps that mix rows or calls. */
export const right = cellWith((z) => z);
export const cells: Record<string, [cell: Cell<Params, State>, op: string]> = {
  "batch normalisation": [cellWith((z) => centred(z, 0)), "sum"],
  "the mean of the batch": [cellWith((z) => z.sub(z.mean())), "sum"],
  "a detached mean of the batch": [cellWith((z) => z.sub(z.mean(0).detach())), "sum"],
  "a mean that left the tape": [cellWith((z) => z.sub(z.mean().item())), "add"],
  "layer norm over the wrong axis": [
    cellWith((z) => {
      const [ofRows, none] = [ones([3], { dtype: "float64" }), zeros([3], { dtype: "float64" })];
      return layerNormalize(z.transpose(), ofRows, none).transpose();
    }),
    "layerNormalize",
  ],
  "a cumulative sum over rows": [cellWith((z) => z.cumsum(0)), "cumsum"],
  "the largest row up to this one": [
    cellWith((z) => {
      const rows = z.split(z.shape[0]!, 0);
      return stack(
        rows.map((_, r) =>
          stack(rows.slice(0, r + 1))
            .max(0)
            .reshape([5]),
        ),
      );
    }),
    // By which a row is taken from all.
    "slice",
  ],
  "the index of the largest row": [
    cellWith((z) => z.add(z.argmax(0).cast("float64").mul(0.1))),
    "add",
  ],
  "rows in the wrong order": [cellWith((z) => z.flip(0)), "slice"],
  "the state of an earlier call": [
    cellWith((z) => {
      const mixed = left === undefined ? z : z.add(tensor(left, { shape: z.shape }));
      left = z.toTypedArray();
      return mixed;
    }),
    "add",
  ],
  "a count of calls": [cellWith((z) => z.add(calls++ % 3)), "add"],
  "another op for large values": [
    cellWith((z, x) => (x.max().item() > 5 ? z.mul(0.5) : z.add(0))),
    "add",
  ],
};

interface Marks {
  readonly state?: { h: Tensor };
  readonly mask?: Tensor;
  readonly resets?: Tensor;
}

/** What a loop does otherwise than it should. */
interface Loop {
  /** The state after a step, under the mask `[B, 1]`. */
  readonly keep?: (mask: Tensor, next: Tensor, before: Tensor) => Tensor;
  /** The output of a step, under the mask. */
  readonly show?: (mask: Tensor, output: Tensor) => Tensor;
  /** The state before a step, with its reset `[B, 1]`. */
  readonly begin?: (reset: Tensor, before: Tensor) => Tensor;
  /** Which input a step takes. */
  readonly at?: (t: number, T: number) => number;
  /** The steps of a row that are not there hold no NaN. */
  readonly clean?: (mask: Tensor, x: Tensor) => Tensor;
}

/** A loop over the cell, as a model. */
export function loop(wrong: Loop = {}) {
  const { keep = where, show = (mask, y) => where(mask, y, 0), at = (t) => t } = wrong;
  const { begin = (reset, h) => where(reset, 0, h), clean = (mask, x) => where(mask, x, 0) } =
    wrong;
  return {
    params: right.params,
    state: right.state,
    unroll(
      params: { W: Tensor; U: Tensor },
      inputs: Tensor | readonly unknown[],
      { state, mask, resets }: Marks,
    ) {
      const xs = inputs as Tensor;
      const [T, B] = xs.shape as [number, number];
      let h = state?.h ?? zeros([B, 5], { dtype: "float64" });
      const outputs: Tensor[] = [];
      const markOf = (marks: Tensor, t: number) => marks.slice([t]).reshape([B, 1]).cast("float64");
      for (let t = 0; t < T; t++) {
        timeStep(t + 1, () => {
          const before = resets === undefined ? h : begin(markOf(resets, t), h);
          const x = xs.slice([at(t, T)]);
          if (mask === undefined) {
            [, { h }] = right.step(params, x, { h: before });
            outputs.push(h);
            return;
          }
          const here = markOf(mask, t);
          const [y, next] = right.step(params, clean(here, x), { h: before });
          h = keep(here, next.h, before);
          outputs.push(show(here, y));
        });
      }
      return { outputs: stack(outputs), state: { h } };
    },
  };
}

const not = (mask: Tensor): Tensor => mask.neg().add(1);
const raw = (_mask: Tensor, x: Tensor): Tensor => x;

/** Loops that let in what must not matter: by which op, and of which kind it is. */
export const loops: Record<string, [model: ReturnType<typeof loop>, kinds: string[], op: string]> =
  {
    "a mask that multiplies the state": [
      loop({ clean: raw, keep: (m, a, b) => m.mul(a).add(not(m).mul(b)) }),
      ["padding"],
      "add",
    ],
    "a mask that multiplies the output": [
      loop({ clean: raw, show: (m, y) => y.mul(m) }),
      ["padding"],
      "mul",
    ],
    "a state that goes on under the mask": [
      loop({ keep: (_m, next) => next, clean: raw }),
      ["padding"],
      "tanh",
    ],
    "a reset that multiplies": [
      loop({ begin: (reset, h) => h.mul(not(reset)) }),
      ["before a reset"],
      "mul",
    ],
    "a reset that keeps the gradient": [
      loop({
        begin: (reset, h) =>
          customGradient(
            (x: Tensor) => where(reset, 0, x),
            (g: Tensor) => g,
          )(h),
      }),
      ["before a reset"],
      "customGradient",
    ],
    "a reset that is forgotten": [loop({ begin: (_reset, h) => h }), ["before a reset"], "matmul"],
    "the input of the next step": [
      loop({ at: (t, T) => Math.min(t + 1, T - 1) }),
      ["padding", "later inputs"],
      "slice",
    ],
  };

/** A batch of three rows and five steps, with padding and resets. */
export function batchOf(seed = 1) {
  const random = rng(seed, "batch");
  const inputs = tensor(
    Float64Array.from({ length: 30 }, () => random.normal()),
    { shape: [5, 3, 2] },
  );
  const marks = (values: readonly number[]) => tensor(new Int32Array(values), { shape: [5, 3] });
  const mask = marks([1, 1, 1, 1, 0, 1, 1, 1, 1, 1, 0, 0, 1, 1, 0]);
  const resets = marks([0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 1, 0]);
  return { inputs, mask, resets };
}
