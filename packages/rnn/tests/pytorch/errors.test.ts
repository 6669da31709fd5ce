import { type Tensor, tensor, zeros } from "@chronograd/autodiff";
import { init, linear, rng } from "@chronograd/nn";
import { decodeSafetensors, encodeSafetensors } from "@chronograd/nn/safetensors";
import { describe, expect, test } from "vitest";
import {
  bidirectional,
  defineCell,
  elman,
  gru,
  gruResetBefore,
  lstm,
  lstmProjected,
  sequential,
  stacked,
} from "../../src/index.ts";
import { fromPyTorch, initialPyTorch, toPyTorch } from "../../src/pytorch.ts";

const sizes = { input: 2, hidden: 3 };
const cell = lstm(sizes);
const params = initialPyTorch(cell, rng(1));
const dict = toPyTorch(params, cell);
const under = (prefix: string, named: Readonly<Record<string, Tensor>> = dict) =>
  Object.fromEntries(Object.entries(named).map(([name, x]) => [prefix + name, x]));
const renamed = (from: string, to: string) =>
  Object.fromEntries(Object.entries(dict).map(([name, x]) => [name.replace(from, to), x]));

describe("a state dict that does not fit is refused, all of it at once", () => {
  test("missing, extra and wrong entries", () => {
    const { weight_hh_l0, bias_ih_l0, ...rest } = dict;
    const wrong = { ...rest, weight_ih_l0: zeros([12, 4]), beta: zeros([1]), gamma: zeros([2, 2]) };
    expect(() => fromPyTorch(wrong, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the state dict lacks "weight_hh_l0" [12,3] and "bias_ih_l0" [12]; the model has no place for "beta" [1] and "gamma" [2,2]; "weight_ih_l0" is float32 [12,4], expected float32 [12,2]; take the state dict of a module with the names and sizes of the model, or name a part of it with { prefix }]`,
    );
    expect(weight_hh_l0!.size + bias_ih_l0!.size).toBe(48);
  });

  test("other dtypes, and what is no tensor", () => {
    const int32 = { ...dict, bias_hh_l0: zeros([12], { dtype: "int32" }) };
    expect(() => fromPyTorch(int32, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: "bias_hh_l0" is int32 [12], expected float32 [12]; give all of them as floats of one dtype, such as x.cast("float32")]`,
    );
    const mixed = { ...dict, bias_hh_l0: zeros([12], { dtype: "float64" }) };
    expect(() => fromPyTorch(mixed, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: "bias_hh_l0" is float64 [12], expected float32 [12]; give all of them as floats of one dtype, such as x.cast("float32")]`,
    );
    const numbers = { ...dict, bias_hh_l0: [1, 2] as never };
    expect(() => fromPyTorch(numbers, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: "bias_hh_l0" is no tensor, expected float32 [12]; take the state dict of a module with the names and sizes of the model, or name a part of it with { prefix }]`,
    );
    expect(() => fromPyTorch(null as never, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the state dict must be tensors by name, got null; tensorsOf of @chronograd/nn/safetensors reads them from a file]`,
    );
  });

  test("a prefix that would fit is named", () => {
    expect(() => fromPyTorch(under("model.rnn."), cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the state dict lacks "weight_ih_l0" [12,2], "weight_hh_l0" [12,3], "bias_ih_l0" [12] and "bias_hh_l0" [12]; the model has no place for "model.rnn.weight_ih_l0" [12,2], "model.rnn.weight_hh_l0" [12,3], "model.rnn.bias_ih_l0" [12] and "model.rnn.bias_hh_l0" [12]; what begins with "model.rnn." fits: pass { prefix: "model.rnn." }]`,
    );
    expect(() =>
      fromPyTorch(under("rnn."), cell, { prefix: "rnn" }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the state dict lacks "rnnweight_ih_l0" [12,2], "rnnweight_hh_l0" [12,3], "rnnbias_ih_l0" [12] and "rnnbias_hh_l0" [12]; the model has no place for "rnn.weight_ih_l0" [12,2], "rnn.weight_hh_l0" [12,3], "rnn.bias_ih_l0" [12] and "rnn.bias_hh_l0" [12]; what begins with "rnn." fits: pass { prefix: "rnn." }]`,
    );
    expect(() => fromPyTorch(dict, cell, { prefix: "rnn." })).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the state dict lacks "rnn.weight_ih_l0" [12,2], "rnn.weight_hh_l0" [12,3], "rnn.bias_ih_l0" [12] and "rnn.bias_hh_l0" [12]; the names fit without a prefix: leave it out]`,
    );
  });

  test("so is a transposed matrix, another cell, another number of layers or directions", () => {
    const turned = { ...dict, weight_ih_l0: dict.weight_ih_l0!.transpose() };
    expect(() => fromPyTorch(turned, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: "weight_ih_l0" is float32 [2,12], expected float32 [12,2]; PyTorch has its matrices as [outputs, inputs]: transpose these]`,
    );
    expect(() => fromPyTorch(dict, gru(sizes))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: "weight_ih_l0" is float32 [12,2], expected float32 [9,2]; "weight_hh_l0" is float32 [12,3], expected float32 [9,3]; "bias_ih_l0" is float32 [12], expected float32 [9]; "bias_hh_l0" is float32 [12], expected float32 [9]; "weight_hh_l0" has the gates of another cell: convert it to lstm]`,
    );
    expect(() => fromPyTorch(dict, elman(sizes))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: "weight_ih_l0" is float32 [12,2], expected float32 [3,2]; "weight_hh_l0" is float32 [12,3], expected float32 [3,3]; "bias_ih_l0" is float32 [12], expected float32 [3]; "bias_hh_l0" is float32 [12], expected float32 [3]; "weight_hh_l0" has the gates of another cell: convert it to lstm]`,
    );
    const both = { ...dict, ...renamed("l0", "l0_reverse") };
    expect(() => fromPyTorch(both, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the model has no place for "weight_ih_l0_reverse" [12,2], "weight_hh_l0_reverse" [12,3], "bias_ih_l0_reverse" [12] and "bias_hh_l0_reverse" [12]; the module runs in both directions: convert it to bidirectional(cell)]`,
    );
    const two = { ...dict, ...renamed("l0", "l1") };
    expect(() => fromPyTorch(two, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the model has no place for "weight_ih_l1" [12,2], "weight_hh_l1" [12,3], "bias_ih_l1" [12] and "bias_hh_l1" [12]; the module has more layers: convert it to stacked([...]) of all]`,
    );
    const projected = { ...dict, weight_hh_l0: zeros([12, 1]), weight_hr_l0: zeros([1, 3]) };
    expect(() => fromPyTorch(projected, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the model has no place for "weight_hr_l0" [1,3]; "weight_hh_l0" is float32 [12,1], expected float32 [12,3]; the module has a proj_size: convert it to lstmProjected]`,
    );
  });

  test("so is a model with more layers or directions, or a projection, than the module", () => {
    const ways = bidirectional(cell);
    expect(() => fromPyTorch(dict, ways)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the state dict lacks "weight_ih_l0_reverse" [12,2], "weight_hh_l0_reverse" [12,3], "bias_ih_l0_reverse" [12] and "bias_hh_l0_reverse" [12]; the module runs in one direction: convert it to the cell without bidirectional]`,
    );
    const two = stacked([cell, lstm({ input: 3, hidden: 3 })]);
    expect(() => fromPyTorch(dict, two)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the state dict lacks "weight_ih_l1" [12,3], "weight_hh_l1" [12,3], "bias_ih_l1" [12] and "bias_hh_l1" [12]; the module has fewer layers: stack as many cells as it has]`,
    );
    const projected = lstmProjected({ ...sizes, projection: 1 });
    expect(() => fromPyTorch(dict, projected)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the state dict lacks "weight_hr_l0" [1,3]; "weight_hh_l0" is float32 [12,3], expected float32 [12,1]; the module has no proj_size: convert it to lstm]`,
    );
  });

  test("half of the biases is no module without biases", () => {
    const { bias_hh_l0, ...rest } = dict;
    expect(() => fromPyTorch(rest, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the state dict lacks "bias_hh_l0" [12]; take the state dict of a module with the names and sizes of the model, or name a part of it with { prefix }]`,
    );
    expect(bias_hh_l0!.shape).toEqual([12]);
  });

  test("the file itself is not its tensors", () => {
    const file = decodeSafetensors(encodeSafetensors(dict));
    expect(() => fromPyTorch(file as never, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: the state dict lacks "weight_ih_l0" [12,2], "weight_hh_l0" [12,3], "bias_ih_l0" [12] and "bias_hh_l0" [12]; the model has no place for "names", "tensors" and "metadata"; pass tensorsOf(file) of @chronograd/nn/safetensors, and not the file itself]`,
    );
  });
});

describe("models that PyTorch has not are refused", () => {
  const own = defineCell({
    params: ({ input, hidden }) => ({ W: init.glorot(input, hidden), b: init.zeros(hidden) }),
    state: ({ hidden }) => ({ h: init.zeros(hidden) }),
    step: ({ W, b }, x: Tensor) => [x.matmul(W).add(b), { h: x.matmul(W) }],
  });

  test("alone, as a part, and as a layer of one's own", () => {
    expect(() => fromPyTorch(dict, gruResetBefore(sizes))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: gruResetBefore has no counterpart in PyTorch; elman, irnn, lstm, lstmProjected, gru, linear, embedding and layerNorm can be converted, and bidirectional, stacked and sequential of them]`,
    );
    expect(() => fromPyTorch(dict, own(sizes))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: a model of your own has no counterpart in PyTorch; elman, irnn, lstm, lstmProjected, gru, linear, embedding and layerNorm can be converted, and bidirectional, stacked and sequential of them]`,
    );
    const step = { ...cell, step: (p: never, x: never, s: never) => cell.step(p, x, s) };
    expect(() => fromPyTorch(dict, step)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: a model of your own has no counterpart in PyTorch; elman, irnn, lstm, lstmProjected, gru, linear, embedding and layerNorm can be converted, and bidirectional, stacked and sequential of them]`,
    );
    const model = sequential({ lower: gruResetBefore(sizes), upper: gru({ input: 3, hidden: 3 }) });
    expect(() => fromPyTorch(dict, model)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: "lower": gruResetBefore has no counterpart in PyTorch; elman, irnn, lstm, lstmProjected, gru, linear, embedding and layerNorm can be converted, and bidirectional, stacked and sequential of them]`,
    );
    const layer = {
      params: linear({ input: 2, output: 3 }).params,
      apply: (_: never, x: Tensor) => x,
    };
    expect(() => fromPyTorch(dict, layer)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: a model of your own has no counterpart in PyTorch; elman, irnn, lstm, lstmProjected, gru, linear, embedding and layerNorm can be converted, and bidirectional, stacked and sequential of them]`,
    );
    expect(() => fromPyTorch(dict, undefined as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: expected a cell or a layer, such as lstm({ input: 3, hidden: 5 }), got undefined]`,
    );
  });
});

describe("what is not one module of PyTorch is refused", () => {
  const other = lstm({ input: 3, hidden: 4 });

  test("other cells or sizes in one stack, or in two directions", () => {
    const mixed = stacked([cell, gru({ input: 3, hidden: 3 })]);
    expect(() => initialPyTorch(mixed, rng(1))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: initialPyTorch: lstm with U [3,12] and gru with U [3,9] are not one module of PyTorch, whose layers and directions have one kind of cell and one hidden size; give them the same, or make each a part of sequential, with a module of its own]`,
    );
    const part = sequential({ rnn: stacked([cell, other]) });
    expect(() => initialPyTorch(part, rng(1))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: initialPyTorch: "rnn": lstm with U [3,12] and lstm with U [4,16] are not one module of PyTorch, whose layers and directions have one kind of cell and one hidden size; give them the same, or make each a part of sequential, with a module of its own]`,
    );
    const ways = bidirectional(cell, { backward: lstm({ input: 2, hidden: 4 }) });
    expect(() => initialPyTorch(ways, rng(1))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: initialPyTorch: lstm with U [3,12] and lstm with U [4,16] are not one module of PyTorch, whose layers and directions have one kind of cell and one hidden size; give them the same, or make each a part of sequential, with a module of its own]`,
    );
  });

  test("models in a stack or a direction, and residuals", () => {
    const nested = bidirectional(stacked([cell, lstm({ input: 3, hidden: 3 })]));
    expect(() => initialPyTorch(nested, rng(1))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: initialPyTorch: stacked in stacked or bidirectional has no counterpart in PyTorch; elman, irnn, lstm, lstmProjected, gru, linear, embedding and layerNorm can be converted, and bidirectional, stacked and sequential of them]`,
    );
    const parts = stacked([sequential({ cell }), lstm({ input: 3, hidden: 3 })]);
    expect(() => initialPyTorch(parts, rng(1))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: initialPyTorch: sequential in stacked or bidirectional has no counterpart in PyTorch; elman, irnn, lstm, lstmProjected, gru, linear, embedding and layerNorm can be converted, and bidirectional, stacked and sequential of them]`,
    );
    const added = stacked([cell, lstm({ input: 3, hidden: 3 })], { residual: true });
    expect(() => initialPyTorch(added, rng(1))).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: initialPyTorch: a model of your own has no counterpart in PyTorch; elman, irnn, lstm, lstmProjected, gru, linear, embedding and layerNorm can be converted, and bidirectional, stacked and sequential of them]`,
    );
  });
});

describe("toPyTorch refuses", () => {
  test("parameters that are not the model's, all at once", () => {
    const { W, ...rest } = params;
    const wrong = { ...rest, U: zeros([2, 2]), c: zeros([1]) };
    expect(() => toPyTorch(wrong as never, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: toPyTorch: the parameters lack "W" [2,12]; the model has no "c" [1]; "U" is float32 [2,2], expected float32 [3,12]; take the parameters of this model, from initialParams or fromPyTorch]`,
    );
    const whole = { ...params, b: zeros([12], { dtype: "int32" }) };
    expect(() => toPyTorch(whole, cell)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: toPyTorch: "b" is int32 [12], expected float32 [12]; take the parameters of this model, from initialParams or fromPyTorch]`,
    );
    expect(W.shape).toEqual([2, 12]);
  });

  test("biases that have no place", () => {
    expect(() => toPyTorch(params, cell, { bias: false, prefix: "rnn." })).toThrow(
      /^toPyTorch: b of "rnn" has a -?0\.\d+, and a module with bias=False has no place for it; leave out \{ bias: false \}$/,
    );
    const candidate = { W: zeros([2, 9]), U: zeros([3, 9]), b: zeros([9]), bn: tensor([0, 0, 2]) };
    expect(() =>
      toPyTorch(candidate, gru(sizes), { bias: false }),
    ).toThrowErrorMatchingInlineSnapshot(
      `[RangeError: toPyTorch: bn has a 2, and a module with bias=False has no place for it; leave out { bias: false }]`,
    );
  });

  test("misspelt options, and options of another type", () => {
    expect(() =>
      toPyTorch(params, cell, { bias: "no" } as never),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: toPyTorch: bias must be true or false, got "no"]`,
    );
    expect(() =>
      toPyTorch(params, cell, { gradient: true } as never),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: toPyTorch: there is no option "gradient", did you mean "gradients"? It takes prefix, bias, cellNames, gradients]`,
    );
    expect(() =>
      fromPyTorch(dict, cell, { prefx: "rnn." } as never),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: there is no option "prefx", did you mean "prefix"? It takes prefix]`,
    );
    expect(() =>
      fromPyTorch(dict, cell, { prefix: 3 } as never),
    ).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: fromPyTorch: prefix must be a text such as "rnn.", got 3]`,
    );
  });
});
