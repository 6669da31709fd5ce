/** Families of ops, each with the colours of its boxes. */
export interface Family {
  readonly name: string;
  readonly fill: string;
  readonly line: string;
  readonly ops: RegExp;
}

/** The first family whose ops match is that of an op. */
export const families: readonly Family[] = [
  {
    name: "products",
    fill: "#dbeafe",
    line: "#2563eb",
    ops: /^(matmul|dot|outer|einsum|conv\w*|linearRecurrence)$/,
  },
  { name: "fused gates", fill: "#ede9fe", line: "#7c3aed", ops: /^(lstm|gru)/ },
  {
    name: "activations",
    fill: "#ffedd5",
    line: "#ea580c",
    ops: /^(tanh|sigmoid|\w*[rR]elu|elu|gelu|silu|softplus|softmax|logSoftmax|logSigmoid|erf)$/,
  },
  {
    name: "sums and norms",
    fill: "#fce7f3",
    line: "#db2777",
    ops: /^(sum|mean|max|min|prod|norm|variance|std|logSumExp|layerNormalize|crossEntropy|cum\w+|\w+Pool\w+|arg\w+)$/,
  },
  {
    name: "shapes and places",
    fill: "#f1f5f9",
    line: "#64748b",
    ops: /^(slice|split|reshape|concat|stack|gather|transpose|expandDims|squeeze|broadcastTo|pad|flip|roll|repeat|tile|unfold|fold|takeAlongAxis|scatterAdd|where|cast|clone|oneHot|unslice|diag|sort|topk)$/,
  },
  { name: "arithmetic", fill: "#dcfce7", line: "#16a34a", ops: /./ },
];

/** The family of an op. */
export function familyOf(op: string): Family {
  return families.find(({ ops }) => ops.test(op))!;
}
