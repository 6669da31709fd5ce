import { availableParallelism } from "node:os";
import { setTimeout } from "node:timers/promises";
import {
  compile,
  createBackend,
  dataParallel,
  type Tensor,
  tensor,
  tree,
} from "@chronograd/autodiff";
import { beforeAll, describe, expect, test } from "vitest";
import {
  adagrad,
  adam,
  adamW,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  type GradientTransformation,
  rmsprop,
  sgd,
} from "../../src/index.ts";

type Params = Record<string, Tensor>;
type Step = (gradients: Params, state: unknown, params: Params) => readonly [Params, unknown];

const backend = createBackend();
/** Small and large ones; the last elements of some fill no vector. */
const sizes = { a: 40_003, b: 8_193, c: 31, d: 70_001 };
const values = (seed: number, dtype: "float32" | "float64" = "float32"): Params =>
  tree.map<typeof sizes, Tensor, number>(
    sizes,
    (n) => {
      const data = dtype === "float32" ? new Float32Array(n) : new Float64Array(n);
      return tensor(
        data.map((_, i) => Math.sin(seed + 1.7 * i)),
        { dtype, backend },
      );
    },
    (n): n is number => typeof n === "number",
  );
const bytesOf = (all: unknown) => tree.leaves(all).map((x) => Buffer.from(x.toTypedArray().buffer));

beforeAll(async () => {
  // Threads run already when the updates are planned for them.
  const sum = dataParallel((x: Tensor) => x.square().sum(), { axis: 0, out: "sum", threads: 2 });
  const rows = tensor(new Float32Array(2000).fill(1), { shape: [2000], backend });
  for (let i = 0; i < 20; i++) {
    sum(rows);
    await setTimeout(10);
  }
});

const rules: Readonly<Record<string, GradientTransformation<unknown>>> = {
  "sgd, momentum": sgd({ learningRate: 0.1, momentum: 0.9, nesterov: true, weightDecay: 0.01 }),
  adam: adam({ learningRate: 0.01 }),
  "adam, amsgrad": adam({ learningRate: 0.01, amsgrad: true }),
  adamW: adamW({ learningRate: 0.01, weightDecay: 0.1 }),
  "rmsprop, centered": rmsprop({ learningRate: 0.01, centered: true, momentum: 0.5 }),
  adagrad: adagrad({ learningRate: 0.1 }),
};

/** The same updates, as they are and compiled: all bytes of parameters and state. */
function bothWays(make: () => Step, optimizer: GradientTransformation<unknown>, dtype?: "float64") {
  const plain = make();
  return [plain, compile(make() as never) as unknown as Step].map((step) => {
    let params = values(0, dtype);
    let state = optimizer.init(params) as unknown;
    for (let i = 1; i < 4; i++) [params, state] = step(values(i, dtype), state, params);
    if (step !== plain && availableParallelism() > 1)
      expect((step as { explain?(): string }).explain?.()).toMatch(/in \d+ spans/);
    return bytesOf([params, state]);
  });
}

const updating =
  (optimizer: GradientTransformation<unknown>): Step =>
  (gradients, state, params) => {
    const [updates, next] = optimizer.update(gradients, state, params);
    return [applyUpdates(params, updates as Params) as Params, next];
  };

describe("compiled updates of large parameters have the bits of the same ones uncompiled", () => {
  test.each(Object.keys(rules))("%s", (name) => {
    const optimizer = chain({ clip: clipByGlobalNorm(1), rule: rules[name]! }) as never;
    const [plain, compiled] = bothWays(() => updating(optimizer), optimizer);
    expect(compiled).toEqual(plain);
  });

  test("float64", () => {
    const optimizer = chain({ clip: clipByGlobalNorm(1), rule: rules.adam! }) as never;
    const [plain, compiled] = bothWays(() => updating(optimizer), optimizer, "float64");
    expect(compiled).toEqual(plain);
  });

  test("with a mask and gradients from outside", () => {
    const [mask, from] = [values(7), values(8)];
    const optimizer = rules.adam!;
    const make = (): Step => (gradients, state, params) => {
      const masked = tree.zip(gradients, mask, (g, m) => g.mul(m));
      const { a, ...others } = masked;
      const [updates, next] = optimizer.update({ a: from.a!, ...others }, state, params);
      const moved = tree.zip(updates as Params, mask, (u, m) => u.mul(m));
      return [applyUpdates(params, moved) as Params, next];
    };
    const [plain, compiled] = bothWays(make, optimizer);
    expect(compiled).toEqual(plain);
  });
});

test.each([4, 100])(
  "what is not finite is refused, and nothing changed, where %i elements are guarded",
  (length) => {
    const clip = clipByGlobalNorm(1);
    const step = compile((p: Tensor, x: Tensor, state: ReturnType<typeof clip.init>) => {
      const y = x.mul(2);
      const [, next] = clip.update({ z: y.slice([[0, length]]).neg() }, state, {});
      return [applyUpdates({ p }, { p: y }).p, next] as const;
    });
    for (const n of [4000, 20_000, 70_000]) {
      const large = (first: number) =>
        tensor(new Float32Array(n).fill(1).with(0, first), { backend });
      for (let i = 0; i < 3; i++) step(large(1), large(2), clip.init({}));
      const p = large(1);
      expect(() => step(p, large(Number.NaN), clip.init({}))).toThrow(/z.* has 1 of/);
      expect(p.toTypedArray()).toEqual(large(1).toTypedArray());
    }
  },
);

test("an element that all others are multiplied by is read before it is updated", () => {
  const n = 70_000;
  const large = (seed: number) =>
    tensor(
      new Float32Array(n).map((_, i) => Math.sin(seed + i)),
      { shape: [n], backend },
    );
  const step = (w: Tensor, x: Tensor, move: Tensor) => {
    const scaled = w.mul(x.slice([[0, 1]]));
    return [scaled, applyUpdates({ x }, { x: move }).x] as const;
  };
  const compiled = compile(step);
  for (let i = 0; i < 4; i++) {
    const args = () => [large(i), large(i + 1), large(i + 2)] as const;
    expect(bytesOf(compiled(...args()))).toEqual(bytesOf(step(...args())));
  }
});

test("parameters without an element are clipped and updated as uncompiled ones are", () => {
  const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate: 0.1 }) });
  const step = compile((g: Params, s: ReturnType<typeof optimizer.init>, p: Params) => {
    const [updates, next] = optimizer.update(g, s, p);
    return [applyUpdates(p, updates) as Params, next] as const;
  });
  const empty = () => ({ w: tensor(new Float32Array(0), { shape: [0, 3], backend }) });
  const params = empty();
  expect(step(empty(), optimizer.init(params), params)[0].w!.shape).toEqual([0, 3]);
});
