import { inFile, type Mutant } from "../mutant.ts";

const matmul = inFile("packages/autodiff/src/ops/matmul.ts", [
  {
    name: "matmul: by a, b not transposed",
    kind: "transposed product",
    find: "[g, b, { transposeA: false, transposeB: !transposeB, batch }]",
    replace: "[g, b, { transposeA: false, transposeB, batch }]",
  },
  {
    name: "matmul: by a transposed, factors swapped",
    kind: "swapped operands",
    find: "[b, g, { transposeA: transposeB, transposeB: true, batch }]",
    replace: "[g, b, { transposeA: false, transposeB: !transposeB, batch }]",
  },
  {
    name: "matmul: by b, a not transposed",
    kind: "transposed product",
    find: "[a, g, { transposeA: !transposeA, transposeB: false, batch }]",
    replace: "[a, g, { transposeA, transposeB: false, batch }]",
  },
  {
    name: "matmul: by b transposed, as if it were not",
    kind: "transposed product",
    find: "[g, a, { transposeA: true, transposeB: transposeA, batch }]",
    replace: "[a, g, { transposeA: !transposeA, transposeB: false, batch }]",
  },
  {
    name: "matmul: by a, not summed over the batch",
    kind: "missing reduction",
    find: "const batch = batchOf(a);",
    replace: "const batch = batchOf(g);",
  },
  {
    name: "matmul: by b, not summed over the batch",
    kind: "missing reduction",
    find: "const batch = batchOf(b);",
    replace: "const batch = batchOf(g);",
  },
  {
    name: "matmul: by a in place, overwrites",
    kind: "forgotten term",
    find: "gradientOfA(g, a!, b!, attributes);\n      multiply(into.block.backend, left, right, into, product, true);",
    replace:
      "gradientOfA(g, a!, b!, attributes);\n      multiply(into.block.backend, left, right, into, product, false);",
  },
  {
    name: "matmul: by b in place, overwrites",
    kind: "forgotten term",
    find: "gradientOfB(g, a!, b!, attributes);\n      multiply(into.block.backend, left, right, into, product, true);",
    replace:
      "gradientOfB(g, a!, b!, attributes);\n      multiply(into.block.backend, left, right, into, product, false);",
  },
  {
    name: "matmul: a batch added in place starts from zero",
    kind: "forgotten term",
    find: "if (adds && !accumulate) fill(y.size, 0, y.pointer);",
    replace: "if (adds) fill(y.size, 0, y.pointer);",
  },
  {
    name: "matmul: the first of a batch alone",
    kind: "missing reduction",
    find: "return product(m, aBatch * k, a.pointer, b.pointer, y.pointer, accumulate);",
    replace: "return product(m, k, a.pointer, b.pointer, y.pointer, accumulate);",
  },
  {
    name: "matmul: one tangent of two",
    kind: "forgotten term",
    find: "return byA && byB ? byA.add(byB) : (byA ?? byB)!;",
    replace: "return (byA ?? byB)!;",
  },
  {
    name: "matmul: b not declared as kept",
    kind: "guard lost",
    find: "residuals: { inputs: [0, 1], output: false },",
    replace: "residuals: { inputs: [0], output: false },",
  },
]);

const einsum = inFile("packages/autodiff/src/ops/einsum.ts", [
  {
    name: "einsum: a diagonal one step too short",
    kind: "off by one",
    find: "[null, null, n + 1]",
    replace: "[null, null, n]",
  },
  {
    name: "einsum: letters summed before the product",
    kind: "missing reduction",
    find: "const wanted = new Set([...later, ...output]);",
    replace: "const wanted = new Set(output);",
  },
]);

const loss = inFile("packages/autodiff/src/ops/loss.ts", [
  {
    name: "softmax: the sum of g without y",
    kind: "forgotten term",
    find: "vjp: (g, y) => y.mul(g.sub(g.mul(y).sum(-1, { keepDims: true }))),",
    replace: "vjp: (g, y) => y.mul(g.sub(g.sum(-1, { keepDims: true }))),",
  },
  {
    name: "softmax: the diagonal of the Jacobian alone",
    kind: "forgotten term",
    find: "jvp: (dx, y) => y.mul(dx.sub(dx.mul(y).sum(-1, { keepDims: true }))),",
    replace: "jvp: (dx, y) => y.mul(dx),",
  },
  {
    name: "softmax: sums over the first axis",
    kind: "wrong axis",
    find: "vjp: (g, y) => y.mul(g.sub(g.mul(y).sum(-1, { keepDims: true }))),",
    replace: "vjp: (g, y) => y.mul(g.sub(g.mul(y).sum(0, { keepDims: true }))),",
  },
  {
    name: "logSoftmax: y taken for the probability",
    kind: "wrong saved value",
    find: "g.sub(y.exp().mul(g.sum(-1, { keepDims: true })))",
    replace: "g.sub(y.mul(g.sum(-1, { keepDims: true })))",
  },
  {
    name: "logSoftmax: tangents not weighted",
    kind: "forgotten term",
    find: "dx.sub(dx.mul(y.exp()).sum(-1, { keepDims: true }))",
    replace: "dx.sub(dx.sum(-1, { keepDims: true }))",
  },
  {
    name: "crossEntropy: the sign of the labels in its slope",
    kind: "sign",
    find: "return softmax(logits).sub(labels(targets, logits));",
    replace: "return softmax(logits).add(labels(targets, logits));",
  },
  {
    name: "crossEntropy: tangents of ignored rows",
    kind: "mask ignored",
    find: "return where(counted, slope(logits!, targets!).mul(dx!).sum(-1), 0);",
    replace: "return slope(logits!, targets!).mul(dx!).sum(-1);",
  },
  {
    name: "crossEntropy: the gradient of ignored rows",
    kind: "mask ignored",
    find: "apply(crossEntropyVjpDeclaration, [logits!, targets!, g], attributes)",
    replace: "apply(crossEntropyVjpDeclaration, [logits!, targets!, g], -100)",
  },
  {
    name: "crossEntropy: the second derivative's diagonal alone",
    kind: "forgotten term",
    find: "const slopes = p.mul(weighted.sub(weighted.mul(p).sum(-1, { keepDims: true })));",
    replace: "const slopes = p.mul(weighted);",
  },
  {
    name: "crossEntropy: the second derivative of ignored rows",
    kind: "mask ignored",
    find: "return where(counted.expandDims(-1), slopes, 0);",
    replace: "return slopes;",
  },
  {
    name: "crossEntropy: the second derivative without the cotangent",
    kind: "factor",
    find: "const weighted = h.mul(g!.expandDims(-1));",
    replace: "const weighted = h;",
  },
  {
    name: "crossEntropy: logits not declared as kept",
    kind: "guard lost",
    find: "residuals: { inputs: [0, 1], output: false },\n  vjp: [",
    replace: "residuals: { inputs: [1], output: false },\n  vjp: [",
  },
  {
    name: "crossEntropy: targets not declared as kept",
    kind: "guard lost",
    find: "residuals: { inputs: [0, 1], output: false },\n  vjp: [",
    replace: "residuals: { inputs: [0], output: false },\n  vjp: [",
  },
]);

/** Bugs in matrix products, einsum, softmax and cross-entropy. */
export const products: readonly Mutant[] = [...matmul, ...einsum, ...loss];
