import type { Tensor } from "@chronograd/autodiff";
import { apply, type OpDeclaration, op } from "@chronograd/autodiff/extend";
import { liveView } from "@chronograd/autodiff/ndarray";
import { init, rng } from "@chronograd/nn";
import { type Cell, defineCell, type Values } from "../../src/index.ts";

export const sizes = { input: 2, hidden: 2 };
const parts = {
  params: () => ({ W: init.glorot(2, 2), U: init.glorot(2, 2), b: init.zeros(2) }),
  state: () => ({ h: init.zeros(2) }),
};
/** Whoever asks twice gets two numbers; every run of the tests gets the same. */
const random = rng(1, "noise");
type Params = ReturnType<typeof parts.params>;
type State = ReturnType<typeof parts.state>;
type Given = Values<Params> & { h: Tensor; x: Tensor };

/** An Elman cell that states other equations than it computes. */
function stating(change: (sum: Tensor) => Tensor): Cell<Params, State> {
  return { ...cellWith((sum) => sum), equations: cellWith(change).step };
}

/** An Elman cell in which something is done to the values before the activation. */
export function cellWith(change: (sum: Tensor, given: Given) => Tensor): Cell<Params, State> {
  return defineCell({
    ...parts,
    step: (params: Values<Params>, x: Tensor, { h }: Values<State>) => {
      const { W, U, b } = params;
      const sum = x.matmul(W).add(h.matmul(U)).add(b);
      const next = change(sum, { ...params, h, x }).tanh();
      return [next, { h: next }];
    },
  })(sizes);
}

/** `2 x`, declared with rules of its own. */
function doubled(rules: Pick<OpDeclaration, "vjp" | "jvp">): (x: Tensor) => Tensor {
  const declaration: OpDeclaration = {
    name: "doubled",
    inputs: ["x"],
    shape: ([x]) => x!.shape,
    forward({ memory }, [x], y) {
      const bytes = memory.views[y.dtype];
      const [from, to] = [x!, y].map((z) => z.pointer / bytes.BYTES_PER_ELEMENT);
      for (let i = 0; i < y.size; i++) bytes[to! + i] = 2 * bytes[from! + i]!;
    },
    residuals: { inputs: [0], output: false },
    samples: [],
    ...rules,
  };
  return op(declaration, (x: Tensor) => apply(declaration, [x], undefined));
}
const right = { vjp: [(g: Tensor) => g.mul(2)], jvp: "linear" as const };

/** The cube, whose derivative rule takes it for a number. */
const frozenCube: (x: Tensor) => Tensor = (() => {
  const declaration: OpDeclaration = {
    name: "frozenCube",
    inputs: ["x"],
    shape: ([x]) => x!.shape,
    forward({ memory }, [x], y) {
      const bytes = memory.views[y.dtype];
      const [from, to] = [x!, y].map((z) => z.pointer / bytes.BYTES_PER_ELEMENT);
      for (let i = 0; i < y.size; i++) bytes[to! + i] = bytes[from! + i]! ** 3;
    },
    residuals: { inputs: [0], output: false },
    vjp: [(g, { inputs: [x] }) => g.mul(x!.detach().square().mul(3))],
    jvp: ([dx], { inputs: [x] }) => dx!.mul(x!.square().mul(3)),
    samples: [],
  };
  return op(declaration, (x: Tensor) => apply(declaration, [x], undefined));
})();

/** The same value and gradient as `x`, and another second derivative. */
function twice(x: Tensor): Tensor {
  const d = x.sub(x.detach());
  return x.add(d.square());
}

const steps = new WeakMap<object, number>();
const squares = new WeakMap<Tensor, Tensor>();

/** Cells that are wrong on purpose. */
export const broken: Record<string, Cell<Params, State>> = {
  "an additional state": defineCell({
    ...parts,
    step: ({ W, U, b }: Values<Params>, x: Tensor, { h }: Values<State>) => {
      const next = x.matmul(W).add(h.matmul(U)).add(b).tanh();
      return [next, { h: next, old: h }];
    },
  })(sizes),
  "an output without rows": defineCell({
    ...parts,
    step: ({ W, U, b }: Values<Params>, x: Tensor, { h }: Values<State>) => {
      const next = x.matmul(W).add(h.matmul(U)).add(b).tanh();
      return [next.sum(0), { h: next }];
    },
  })(sizes),
  "a bias that is written to": cellWith((sum, { b }) => {
    liveView(b).set(0, b.toTypedArray()[0]! + 1);
    return sum;
  }),
  "a bias that is opened for writing": cellWith((sum, { b }) => {
    liveView(b);
    return sum;
  }),
  "a replaced parameter": defineCell({
    ...parts,
    step: (params: Values<Params>, x: Tensor, { h }: Values<State>) => {
      const next = x.matmul(params.W).add(h.matmul(params.U)).add(params.b).tanh();
      Object.assign(params, { W: params.W.mul(1) });
      return [next, { h: next }];
    },
  })(sizes),
  noise: cellWith((sum) => sum.add(1e-15 * random.uniform())),
  "another way on a tape": cellWith((sum) => (sum.tape === null ? sum : sum.mul(1 + 2 ** -52))),
  "a hidden count of steps": defineCell({
    ...parts,
    step: ({ W, U, b }: Values<Params>, x: Tensor, state: Values<State>) => {
      const t = steps.get(state) ?? 0;
      const next = x.matmul(W).add(state.h.matmul(U)).add(b).add(t).tanh();
      const after = { h: next };
      steps.set(after, t + 1);
      return [next, after];
    },
  })(sizes),
  "a value kept from step to step": cellWith((sum, { U, h }) => {
    const square = squares.get(U) ?? U.square();
    squares.set(U, square);
    return sum.add(h.matmul(square));
  }),
  "the mean of the batch": cellWith((sum) => sum.sub(sum.mean(0))),
  "the size of the batch": cellWith((sum) => sum.div(sum.shape[0]!)),
  "a detached state": cellWith((sum, { h }) => sum.add(h.detach())),
  "a wrong vjp": cellWith(doubled({ ...right, vjp: [(g) => g.mul(3)] })),
  "a wrong jvp": cellWith(doubled({ ...right, jvp: ([dx]) => dx!.mul(3) })),
  "a vjp of the wrong shape": cellWith((sum, { b }) =>
    sum.add(doubled({ ...right, vjp: [(g) => g.mul(2).sum(-1)] })(b)),
  ),
  "a noisy vjp": cellWith(doubled({ ...right, vjp: [(g) => g.mul(2 + 1e-9 * random.uniform())] })),
  "a vjp that is a constant": cellWith(frozenCube),
  "numbers beyond float32": cellWith((sum) => sum.mul(1e30).mul(1e30).mul(1e-60)),
  "another factor in the equations": stating((sum) => sum.mul(1 + 1e-12)),
  "equations that are a constant": stating((sum) => sum.detach()),
  "equations with a lost second derivative": stating(twice),
};
