import { format } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type Op, op } from "./declare.ts";
import { matmul } from "./linalg.ts";
import { reshape, transpose } from "./shape.ts";

/** A tensor with a letter for each axis. */
interface Labelled {
  readonly x: Tensor;
  readonly letters: readonly string[];
}

function parse(
  equation: string,
  tensors: readonly Tensor[],
): { inputs: string[][]; output: string[] } {
  const fail = (why: string): never => {
    throw new SyntaxError(
      `einsum: equation ${JSON.stringify(equation)} ${why}; expected for example "bij,bjk->bik"`,
    );
  };
  if (typeof equation !== "string" || !tensors.every((x) => x instanceof Tensor)) {
    throw new TypeError(
      'einsum: expected an equation and tensors, for example einsum("ij,jk->ik", a, b)',
    );
  }
  const match = /^([a-zA-Z,]*)(?:->([a-zA-Z]*))?$/.exec(equation.replaceAll(" ", ""));
  if (match === null) return fail("may hold letters, commas and one ->");
  const inputs = match[1]!.split(",").map((part) => [...part]);
  if (inputs.length !== tensors.length) {
    return fail(`names ${inputs.length} operands, got ${tensors.length}`);
  }
  const lengths = new Map<string, number>();
  for (const [i, letters] of inputs.entries()) {
    const { shape } = tensors[i]!;
    if (letters.length !== shape.length) {
      return fail(`gives operand ${i} the axes "${letters.join("")}", got shape ${format(shape)}`);
    }
    for (const [axis, letter] of letters.entries()) {
      const length = lengths.get(letter) ?? shape[axis]!;
      if (length !== shape[axis]) {
        return fail(`has "${letter}" of length ${length} and of length ${shape[axis]}`);
      }
      lengths.set(letter, length);
    }
  }
  const all = inputs.flat();
  const once = [...lengths.keys()].filter(
    (letter) => all.indexOf(letter) === all.lastIndexOf(letter),
  );
  const output = match[2] === undefined ? once.sort() : [...match[2]];
  if (new Set(output).size !== output.length) return fail("repeats a letter in its output");
  const unknown = output.find((letter) => !lengths.has(letter));
  if (unknown !== undefined) return fail(`has "${unknown}" in its output only`);
  return { inputs, output };
}

/** Takes the diagonal of letters that an operand repeats. */
function diagonal({ x, letters }: Labelled): Labelled {
  const again = letters.findIndex((letter, i) => letters.indexOf(letter) !== i);
  if (again < 0) return { x, letters };
  const first = letters.indexOf(letters[again]!);
  const others = letters.map((_, i) => i).filter((i) => i !== first && i !== again);
  const n = x.shape[first]!;
  const rest = others.map((i) => x.shape[i]!);
  const flat = reshape(transpose(x, [...others, first, again]), [...rest, n * n]);
  return diagonal({
    x: flat.slice([...rest.map(() => null), [null, null, n + 1]]),
    letters: [...others.map((i) => letters[i]!), letters[first]!],
  });
}

/** Sums over the letters that nobody else asks for. */
function sumAway({ x, letters }: Labelled, wanted: ReadonlySet<string>): Labelled {
  const axes = letters.map((_, i) => i).filter((i) => !wanted.has(letters[i]!));
  if (axes.length === 0) return { x, letters };
  return { x: x.sum(axes), letters: letters.filter((letter) => wanted.has(letter)) };
}

function arrange({ x, letters }: Labelled, order: readonly string[]): Tensor {
  const axes = order.map((letter) => letters.indexOf(letter));
  return axes.every((axis, i) => axis === i) ? x : transpose(x, axes);
}

/** One batched product over the letters that two operands share and nobody else asks for. */
function contract(a: Labelled, b: Labelled, wanted: ReadonlySet<string>): Labelled {
  const shared = a.letters.filter((letter) => b.letters.includes(letter));
  const batch = shared.filter((letter) => wanted.has(letter));
  const inner = shared.filter((letter) => !wanted.has(letter));
  const left = a.letters.filter((letter) => !shared.includes(letter));
  const right = b.letters.filter((letter) => !shared.includes(letter));
  const lengthOf = (letter: string): number => {
    const axis = a.letters.indexOf(letter);
    return axis >= 0 ? a.x.shape[axis]! : b.x.shape[b.letters.indexOf(letter)]!;
  };
  const lengths = (letters: readonly string[]) => letters.map(lengthOf);
  const size = (letters: readonly string[]) => lengths(letters).reduce((p, n) => p * n, 1);
  const rows = reshape(arrange(a, [...batch, ...left, ...inner]), [
    size(batch),
    size(left),
    size(inner),
  ]);
  const columns = reshape(arrange(b, [...batch, ...inner, ...right]), [
    size(batch),
    size(inner),
    size(right),
  ]);
  const letters = [...batch, ...left, ...right];
  return { x: reshape(matmul(rows, columns), lengths(letters)), letters };
}

/**
 * Sums of products in Einstein's notation: letters name axes, repeated letters are multiplied together, and those
 * missing behind `->` are summed. Operands are contracted from left to right, each step as one batched product.
 *
 * @throws when the equation does not parse or does not fit the operands
 *
 * @example
 * ```ts
 * import { einsum, tensor } from "@chronograd/autodiff";
 *
 * const x = tensor([[1, 2], [3, 4]]);
 * einsum("ij,j->i", x, tensor([1, 10])).toArray(); // => [21, 43]
 * einsum("ii", x).item(); // => 5
 * einsum("ij->ji", x).toArray(); // => [[1, 3], [2, 4]]
 * einsum("ij,ij->i", x, x).toArray(); // => [5, 25]
 * ```
 */
export const einsum: Op<(equation: string, ...tensors: Tensor[]) => Tensor> = op(
  {
    name: "einsum",
    composite: true,
    samples: (
      [
        ["ij,jk->ik", [2, 3], [3, 2]],
        ["bij,bkj->bik", [2, 2, 3], [2, 4, 3]],
        ["ij->ji", [2, 3]],
        ["ii->i", [3, 3]],
        ["ii", [3, 3]],
        ["i,j,k->kji", [2], [3], [2]],
        ["ij,ij->", [2, 3], [2, 3]],
      ] as const
    ).map(([equation, ...shapes]) => ({
      label: equation,
      inputs: shapes.map((shape) => ({ shape })),
      call: (xs) => einsum(equation, ...xs),
    })),
  },
  (equation: string, ...tensors: Tensor[]) => {
    const { inputs, output } = parse(equation, tensors);
    const operands = tensors.map((x, i) => diagonal({ x, letters: inputs[i]! }));
    let result = operands[0]!;
    for (let i = 0; i < operands.length; i++) {
      const later = operands.slice(i + 1).flatMap(({ letters }) => letters);
      const wanted = new Set([...later, ...output]);
      if (i === 0) {
        result = sumAway(result, wanted);
        continue;
      }
      const next = operands[i]!;
      const mine = sumAway(next, new Set([...wanted, ...result.letters]));
      result = contract(sumAway(result, new Set([...wanted, ...next.letters])), mine, wanted);
    }
    return arrange(result, output);
  },
);
