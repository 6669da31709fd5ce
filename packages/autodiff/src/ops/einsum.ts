import { format } from "../tensor/shape.ts";
import { Tensor } from "../tensor/tensor.ts";
import { type FunctionOp, op } from "./declare.ts";
import { matmul } from "./matmul.ts";
import { reshape, transpose } from "./shape.ts";

/** A tensor with a letter for each axis. */
interface Labelled {
  readonly x: Tensor;
  readonly letters: readonly string[];
}

/**
 * The axes that `...` stands for in an operand: `.0` is the last of them, so that those of all
 * operands align at the right.
 */
function dots(count: number): string[] {
  return Array.from({ length: Math.max(0, count) }, (_, i) => `.${count - 1 - i}`);
}

function parse(
  equation: string,
  tensors: readonly Tensor[],
): { operands: Labelled[]; output: string[] } {
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
  const side = "(?:[a-zA-Z]|\\.{3}(?![^,-]*\\.))*";
  const match = new RegExp(`^(${side}(?:,${side})*)(?:->(${side}))?$`).exec(
    equation.replaceAll(" ", ""),
  );
  if (match === null) return fail("may hold letters, commas, one ... for each operand and one ->");
  const inputs = match[1]!.split(",");
  if (inputs.length !== tensors.length) {
    return fail(`names ${inputs.length} operands, got ${tensors.length}`);
  }
  const lengths = new Map<string, number>();
  let most = 0;
  const labelled = inputs.map((text, i): Labelled => {
    const x = tensors[i]!;
    const unnamed = x.rank - text.replace("...", "").length;
    const letters = text
      .match(/\.{3}|./g)
      ?.flatMap((part) => (part === "..." ? dots(unnamed) : part));
    if ((letters?.length ?? 0) !== x.rank) {
      return fail(`gives operand ${i} the axes "${text}", got shape ${format(x.shape)}`);
    }
    if (text.includes("...")) most = Math.max(most, unnamed);
    for (const [axis, letter] of (letters ?? []).entries()) {
      const length = x.shape[axis]!;
      const known = lengths.get(letter) ?? length;
      const stretches = letter.startsWith(".") && (length === 1 || known === 1);
      if (known !== length && !stretches) {
        return fail(
          `has ${letter.startsWith(".") ? "an axis in ..." : `"${letter}"`} of length ${known} and of length ${length}`,
        );
      }
      lengths.set(letter, known === 1 ? length : known);
    }
    return { x, letters: letters ?? [] };
  });
  // An axis of length 1 that is broadcast is no axis of that operand.
  const operands = labelled.map(({ x, letters }): Labelled => {
    const kept = letters.map((letter, axis) => x.shape[axis] === lengths.get(letter));
    return {
      x: reshape(
        x,
        x.shape.filter((_, axis) => kept[axis]),
      ),
      letters: letters.filter((_, axis) => kept[axis]),
    };
  });
  const all = labelled.flatMap(({ letters }) => letters);
  const once = [...lengths.keys()].filter(
    (letter) => !letter.startsWith(".") && all.indexOf(letter) === all.lastIndexOf(letter),
  );
  const output =
    match[2] === undefined
      ? [...dots(most), ...once.sort()]
      : (match[2].match(/\.{3}|./g) ?? []).flatMap((part) => (part === "..." ? dots(most) : part));
  if (new Set(output).size !== output.length) return fail("repeats a letter in its output");
  const unknown = output.find((letter) => !lengths.has(letter));
  if (unknown !== undefined) return fail(`has "${unknown}" in its output only`);
  return { operands, output };
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

/** Sums over the letters that no other operand and no output has. */
function sumAway({ x, letters }: Labelled, wanted: ReadonlySet<string>): Labelled {
  const axes = letters.map((_, i) => i).filter((i) => !wanted.has(letters[i]!));
  if (axes.length === 0) return { x, letters };
  return { x: x.sum(axes), letters: letters.filter((letter) => wanted.has(letter)) };
}

function arrange({ x, letters }: Labelled, order: readonly string[]): Tensor {
  const axes = order.map((letter) => letters.indexOf(letter));
  return axes.every((axis, i) => axis === i) ? x : transpose(x, axes);
}

/**
 * One batched product over the letters that two operands share and no other operand and no output
 * has.
 */
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
 * Sums of products in Einstein's notation: letters name axes, operands are multiplied along
 * repeated letters, and those missing behind `->` are summed. `...` stands for the axes that have
 * no letter; they broadcast. Operands are contracted from left to right, each step as one batched
 * product.
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
 * einsum("...i,...i->...", x, x).toArray(); // => [5, 25]
 * ```
 */
export const einsum: FunctionOp<(equation: string, ...tensors: Tensor[]) => Tensor> = op(
  {
    name: "einsum",
    composite: true,
    method: false,
    samples: (
      [
        ["ij,jk->ik", [2, 3], [3, 2]],
        ["bij,bkj->bik", [2, 2, 3], [2, 4, 3]],
        ["ij->ji", [2, 3]],
        ["ii->i", [3, 3]],
        ["ii", [3, 3]],
        ["i,j,k->kji", [2], [3], [2]],
        ["ij,ij->", [2, 3], [2, 3]],
        ["...ij,jk->...ik", [2, 2, 3], [3, 2]],
        ["i...,...->i...", [2, 3, 1], [3, 2]],
      ] as const
    ).map(([equation, ...shapes]) => ({
      label: equation,
      inputs: shapes.map((shape) => ({ shape })),
      call: (xs) => einsum(equation, ...xs),
    })),
  },
  (equation: string, ...tensors: Tensor[]) => {
    const { operands: given, output } = parse(equation, tensors);
    const operands = given.map(diagonal);
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
