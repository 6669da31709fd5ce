import { describe, expect, test } from "vitest";
import { type Tensor, tensor, zeros } from "../../src/index.ts";

const x = zeros([2, 4, 5, 6]);
const w = zeros([6, 4, 3, 3]);
const row = zeros([2, 4, 6]);
const w1 = zeros([6, 4, 3]);
const whole = tensor(new Int32Array(240), { shape: [2, 4, 5, 6] });
const scalar = zeros([]);

/** What a call says that must be refused. */
function said(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    return `${(error as Error).name}: ${(error as Error).message}`;
  }
  return "nothing was thrown";
}

describe("what does not fit gets a sentence", () => {
  test("shapes of convolutions", () => {
    expect(
      [
        () => row.conv2d(w),
        () => x.conv1d(w1),
        () => scalar.conv2d(w),
        () => x.conv2d(zeros([6, 3, 3, 3])),
        () => x.conv2d(w, { groups: 2 }),
        () => x.conv2d(zeros([3, 2, 3, 3]), { groups: 2 }),
        () => x.conv2d(zeros([6, 4, 0, 3])),
        () => x.conv2d(zeros([6, 4, 7, 7])),
        () => x.conv2d(w, { dilation: [3, 1] }),
        () => row.conv1d(w1, { dilation: 3 }),
        () => zeros([1, 4, 0, 6]).conv2d(w),
      ].map(said),
    ).toMatchInlineSnapshot(`
      [
        "RangeError: conv2d: x must be [N,C,H,W] and weight [O,C/groups,KH,KW], got x [2,4,6] and weight [6,4,3,3]; expandDims adds an axis",
        "RangeError: conv1d: x must be [N,C,L] and weight [O,C/groups,K], got x [2,4,5,6] and weight [6,4,3]; expandDims adds an axis",
        "RangeError: conv2d: x must be [N,C,H,W] and weight [O,C/groups,KH,KW], got x [] and weight [6,4,3,3]; expandDims adds an axis",
        "RangeError: conv2d: x must have 3 channels on axis 1, groups 1 times the 3 of weight, got x [2,4,5,6] and weight [6,3,3,3]",
        "RangeError: conv2d: x must have 8 channels on axis 1, groups 2 times the 4 of weight, got x [2,4,5,6] and weight [6,4,3,3]",
        "RangeError: conv2d: groups must divide the 3 results on axis 0 of weight, got 2 and x [2,4,5,6] and weight [3,2,3,3]",
        "RangeError: conv2d: the kernel size of weight must be a whole number from 1 to 2^28, or a pair of them, got [0,3]",
        "RangeError: conv2d: a kernel that reaches over [7,7] does not fit into [5,6] padded to [5,6]; use padding, or a smaller kernel or dilation",
        "RangeError: conv2d: a kernel that reaches over [7,3] does not fit into [5,6] padded to [5,6]; use padding, or a smaller kernel or dilation",
        "RangeError: conv1d: a kernel that reaches over [7] does not fit into [6] padded to [6]; use padding, or a smaller kernel or dilation",
        "RangeError: conv2d: a kernel that reaches over [3,3] does not fit into [0,6] padded to [0,6]; use padding, or a smaller kernel or dilation",
      ]
    `);
  });

  test("options of convolutions", () => {
    expect(
      [
        () => x.conv2d(w, { stride: 0 }),
        () => x.conv2d(w, { stride: 1.5 }),
        () => x.conv2d(w, { stride: 2 ** 32 }),
        () => x.conv2d(w, { stride: [1, 0] }),
        () => x.conv2d(w, { stride: [1, 1, 1] as never }),
        () => row.conv1d(w1, { stride: [1, 1] as never }),
        () => x.conv2d(w, { dilation: 0 }),
        () => x.conv2d(w, { dilation: "2" as never }),
        () => x.conv2d(w, { padding: -1 }),
        () => x.conv2d(w, { padding: Number.NaN }),
        () => x.conv2d(w, { padding: "SAME" as never }),
        () => x.conv2d(w, { padding: "same", stride: 2 }),
        () => x.conv2d(w, { groups: 0 }),
        () => x.conv2d(w, { groups: 2.5 }),
        () => x.conv2d(w, { strides: 2 } as never),
        () => row.conv1d(w1, { pad: 2 } as never),
        () => x.conv2d(w, 2 as never),
      ].map(said),
    ).toMatchInlineSnapshot(`
      [
        "RangeError: conv2d: stride must be a whole number from 1 to 2^28, or a pair of them, got 0",
        "RangeError: conv2d: stride must be a whole number from 1 to 2^28, or a pair of them, got 1.5",
        "RangeError: conv2d: stride must be a whole number from 1 to 2^28, or a pair of them, got 4294967296",
        "RangeError: conv2d: stride must be a whole number from 1 to 2^28, or a pair of them, got [1,0]",
        "RangeError: conv2d: stride must be a whole number from 1 to 2^28, or a pair of them, got [1,1,1]",
        "RangeError: conv1d: stride must be a whole number from 1 to 2^28, got [1,1]",
        "RangeError: conv2d: dilation must be a whole number from 1 to 2^28, or a pair of them, got 0",
        "RangeError: conv2d: dilation must be a whole number from 1 to 2^28, or a pair of them, got "2"",
        "RangeError: conv2d: padding must be a whole number from 0 to 2^28, or a pair of them, got -1",
        "RangeError: conv2d: padding must be a whole number from 0 to 2^28, or a pair of them, got NaN",
        "RangeError: conv2d: padding must be numbers, "same" or "valid", got "SAME"",
        "RangeError: conv2d: padding "same" keeps the size, which stride [2,2] does not; use stride 1, or padding as numbers",
        "RangeError: conv2d: groups must be a whole number from 1 to 2^28, got 0",
        "RangeError: conv2d: groups must be a whole number from 1 to 2^28, got 2.5",
        "TypeError: conv2d: there is no option "strides", did you mean "stride"? It takes stride, padding, dilation, groups",
        "TypeError: conv1d: there is no option "pad", did you mean "padding"? It takes stride, padding, dilation, groups",
        "TypeError: conv2d: options must be an object such as { stride: ... }, got 2. It takes stride, padding, dilation, groups",
      ]
    `);
  });

  test("dtypes and other values", () => {
    expect(
      [
        () => whole.conv2d(w),
        () => x.conv2d(zeros([6, 4, 3, 3], { dtype: "float64" })),
        () => x.conv2d(undefined as unknown as Tensor),
        () => whole.unfold(2),
        () => whole.maxPool2d(2),
        () => whole.averagePool2d(2),
      ].map(said),
    ).toMatchInlineSnapshot(`
      [
        "TypeError: conv2d: argument x is int32 [2,4,5,6], expected float32 or float64; convert it with cast(x, "float32")",
        "TypeError: conv2d: arguments must share a dtype, got float32 for x and float64 for weight; convert one with cast(x, "float32")",
        "TypeError: conv2d: the second argument must be a tensor, got undefined; wrap data with tensor(...)",
        "TypeError: unfold: argument x is int32 [2,4,5,6], expected float32 or float64; convert it with cast(x, "float32")",
        "RangeError: maxPool2d: x must be [N,C,H,W] of float32 or float64, got int32 [2,4,5,6]; expandDims adds an axis, cast changes the dtype",
        "RangeError: averagePool2d: x must be [N,C,H,W] of float32 or float64, got int32 [2,4,5,6]; expandDims adds an axis, cast changes the dtype",
      ]
    `);
  });

  test("unfold and fold", () => {
    expect(
      [
        () => row.unfold(2),
        () => x.unfold(0),
        () => x.unfold([2, 8]),
        () => x.unfold(undefined as never),
        () => x.unfold(2, { padding: "same" as never, stride: 2 }),
        () => x.unfold(2, { groups: 2 } as never),
        () => zeros([1, 4, 3]).fold([2, 3], 2),
        () => zeros([1, 5, 2]).fold([2, 3], 2),
        () => zeros([4, 2]).fold([2, 3], 2),
        () => zeros([1, 4, 2]).fold(1, 2),
        () => zeros([1, 4, 2]).fold([2, 3], 2, { step: 1 } as never),
      ].map(said),
    ).toMatchInlineSnapshot(`
      [
        "RangeError: unfold: x must be [N,C,H,W], got [2,4,6]; expandDims adds an axis",
        "RangeError: unfold: kernelSize must be a whole number from 1 to 2^28, or a pair of them, got 0",
        "RangeError: unfold: a kernel that reaches over [2,8] does not fit into [5,6] padded to [5,6]; use padding, or a smaller kernel or dilation",
        "RangeError: unfold: kernelSize must be a whole number from 1 to 2^28, or a pair of them, got undefined",
        "RangeError: unfold: padding "same" keeps the size, which stride [2,2] does not; use stride 1, or padding as numbers",
        "TypeError: unfold: there is no option "groups". It takes stride, padding, dilation",
        "RangeError: fold: columns must be [N, a multiple of 4, 2] for a kernel of [2,2] on images of [2,3], got [1,4,3]",
        "RangeError: fold: columns must be [N, a multiple of 4, 2] for a kernel of [2,2] on images of [2,3], got [1,5,2]",
        "RangeError: fold: columns must be [N, a multiple of 4, 2] for a kernel of [2,2] on images of [2,3], got [4,2]",
        "RangeError: fold: a kernel that reaches over [2,2] does not fit into [1,1] padded to [1,1]; use padding, or a smaller kernel or dilation",
        "TypeError: fold: there is no option "step". It takes stride, padding, dilation",
      ]
    `);
  });

  test("pools", () => {
    expect(
      [
        () => row.maxPool2d(2),
        () => x.maxPool1d(2),
        () => x.maxPool2d([6, 1]),
        () => x.maxPool2d(0),
        () => x.averagePool2d([2, 1.5]),
        () => x.averagePool2d(2, { stride: 0 }),
        () => x.maxPool2d(3, { padding: 2 }),
        () => x.maxPool2d(3, { padding: "same" as never }),
        () => x.maxPool2d(3, { dilation: 2 } as never),
        () => row.averagePool1d(7),
      ].map(said),
    ).toMatchInlineSnapshot(`
      [
        "RangeError: maxPool2d: x must be [N,C,H,W] of float32 or float64, got float32 [2,4,6]; expandDims adds an axis, cast changes the dtype",
        "RangeError: maxPool1d: x must be [N,C,L] of float32 or float64, got float32 [2,4,5,6]; expandDims adds an axis, cast changes the dtype",
        "RangeError: maxPool2d: a kernel that reaches over [6,1] does not fit into [5,6] padded to [5,6]; use padding, or a smaller kernel or dilation",
        "RangeError: maxPool2d: kernelSize must be a whole number from 1 to 2^28, or a pair of them, got 0",
        "RangeError: averagePool2d: kernelSize must be a whole number from 1 to 2^28, or a pair of them, got [2,1.5]",
        "RangeError: averagePool2d: stride must be a whole number from 1 to 2^28, or a pair of them, got 0",
        "RangeError: maxPool2d: padding must be at most half of the kernel size [3,3], got [2,2]; a window would see nothing else",
        "RangeError: maxPool2d: padding must be a whole number from 0 to 2^28, or a pair of them, got "same"",
        "TypeError: maxPool2d: there is no option "dilation". It takes stride, padding",
        "RangeError: averagePool1d: a kernel that reaches over [7] does not fit into [6] padded to [6]; use padding, or a smaller kernel or dilation",
      ]
    `);
  });
});
