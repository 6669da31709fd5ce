import { describe, expect, test } from "vitest";
import * as ops from "../../src/index.ts";
import { ones, type Tensor, tensor, zeros } from "../../src/index.ts";

const x = zeros([2, 3]);
const ints = tensor(Int32Array.of(0, 1));
const tape = new ops.Tape();
const watched = tape.watch(x);
const loss = watched.sum();
type Options = never;

/** Every public function with options, called with what is given for them. */
const functions: Record<string, (options: Options) => unknown> = {
  tensor: (o) => tensor([1], o),
  full: (o) => ops.full([1], 1, o),
  zeros: (o) => zeros([1], o),
  ones: (o) => ops.ones([1], o),
  arange: (o) => ops.arange(0, 1, 1, o),
  linspace: (o) => ops.linspace(0, 1, 2, o),
  eye: (o) => ops.eye(2, 2, o),
  createBackend: (o) => ops.createBackend(o),
  sum: (o) => x.sum(0, o),
  mean: (o) => x.mean(0, o),
  prod: (o) => x.prod(0, o),
  max: (o) => x.max(0, o),
  min: (o) => x.min(0, o),
  all: (o) => x.all(0, o),
  any: (o) => x.any(0, o),
  logSumExp: (o) => x.logSumExp(0, o),
  variance: (o) => x.variance(0, o),
  std: (o) => x.std(0, o),
  norm: (o) => x.norm(0, o),
  cumsum: (o) => x.cumsum(0, o),
  cumprod: (o) => x.cumprod(0, o),
  matmul: (o) => x.matmul(x.transpose(), o),
  gather: (o) => x.gather([0], 0, o),
  scatterAdd: (o) => x.scatterAdd([0], zeros([1, 3]), 0, o),
  oneHot: (o) => ints.oneHot(2, o),
  argsort: (o) => x.argsort(0, o),
  sort: (o) => x.sort(0, o),
  topk: (o) => x.topk(1, 0, o),
  gelu: (o) => x.gelu(o),
  linearRecurrence: (o) => ops.linearRecurrence(x, x, zeros([3]), o),
  conv1d: (o) => zeros([1, 2, 3]).conv1d(ones([1, 2, 1]), o),
  conv2d: (o) => zeros([1, 2, 3, 3]).conv2d(ones([1, 2, 1, 1]), o),
  unfold: (o) => zeros([1, 2, 3, 3]).unfold(2, o),
  fold: (o) => zeros([1, 4, 2]).fold([2, 3], 2, o),
  maxPool1d: (o) => zeros([1, 2, 3]).maxPool1d(2, o),
  maxPool2d: (o) => zeros([1, 2, 3, 3]).maxPool2d(2, o),
  averagePool1d: (o) => zeros([1, 2, 3]).averagePool1d(2, o),
  averagePool2d: (o) => zeros([1, 2, 3, 3]).averagePool2d(2, o),
  grad: (o) => ops.grad((z: Tensor) => z.sum(), o),
  valueAndGrad: (o) => ops.valueAndGrad((z: Tensor) => z.sum(), o),
  Tape: (o) => new ops.Tape(o),
  watch: (o) => new ops.Tape().watch(x, o),
  gradient: (o) => tape.gradient(loss, watched, o),
  findNonFinite: (o) => tape.findNonFinite(loss, o),
};

describe.each(Object.entries(functions))("%s", (name, call) => {
  test.each([
    ["an unknown option", { keepdim: true, transposed: 1 }],
    ["a boolean where options belong", true],
    ["null where options belong", null],
  ])("refuses %s", (_what, options) => {
    expect(() => call(options as Options)).toThrow(
      /^[\w, ]+: (there is no option|options must be)/,
    );
  });

  test("takes none", () => {
    expect(() => call(undefined as Options)).not.toThrow();
    expect(() => call({} as Options)).not.toThrow();
  });

  test("names itself", () => {
    const named = ["full", "zeros", "ones"].includes(name) ? "zeros, ones, full" : name;
    expect(() => call({ whatever: 1 } as Options)).toThrow(
      `${named}: there is no option "whatever"`,
    );
  });
});

test("a number that is refused beside a tensor leaves nothing behind", () => {
  const backend = ops.createBackend();
  const y = zeros([3], { backend });
  const { memory } = backend;
  const bytes = () => memory.bytesInUse;
  const before = bytes();
  for (let i = 0; i < 10; i++) {
    expect(() => ops.where(y, 1000 + i, "text" as never)).toThrow(/^where: argument b/);
  }
  expect(bytes()).toBe(before);
});
