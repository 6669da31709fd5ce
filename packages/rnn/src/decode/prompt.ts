import { type Backend, Tensor, tensor } from "@chronograd/autodiff";
import { describeTensor } from "@chronograd/autodiff/internal";
import { textOf } from "../checkDefinition.ts";

/** A prompt by time: the tokens of all rows at each of its steps. */
export type Prompt = readonly Int32Array[];

/**
 * A prompt for all rows, or one for each of them, as tokens of each step.
 *
 * @param rows how many, where that is known already
 * @throws for an empty prompt, for what are no tokens, and for other rows
 */
export function promptOf(
  where: string,
  prompt: ArrayLike<number> | Tensor,
  rows: number | undefined,
): Prompt {
  const steps = prompt instanceof Tensor ? stepsOf(where, prompt, rows) : undefined;
  const tokens = steps ?? listOf(where, prompt as ArrayLike<number>, rows ?? 1);
  if (tokens.length > 0) return tokens;
  throw new RangeError(
    `${where}: the prompt is empty, and the first token is predicted from the last one of the prompt; give at least one, such as a token that stands for the start`,
  );
}

function stepsOf(where: string, prompt: Tensor, rows: number | undefined): Prompt {
  const [length, columns = rows ?? 1] = prompt.shape;
  const fits = prompt.rank === 1 || (prompt.rank === 2 && columns === (rows ?? columns));
  if (prompt.dtype !== "int32" || !fits || columns === 0) {
    const expected = rows === undefined ? "[T] or [T, rows]" : `[T] or [T, ${rows}]`;
    throw new TypeError(
      `${where}: the prompt must be tokens, int32 ${expected}, got ${describeTensor(prompt)}`,
    );
  }
  const values = prompt.toTypedArray() as Int32Array;
  if (prompt.rank === 1) return listOf(where, values, columns);
  return Array.from({ length: length! }, (_, t) => values.slice(t * columns, (t + 1) * columns));
}

function listOf(where: string, prompt: ArrayLike<number>, rows: number): Prompt {
  if (typeof prompt !== "object" || typeof prompt?.length !== "number") {
    throw new TypeError(
      `${where}: the prompt must be a list of tokens or an int32 tensor, got ${textOf(prompt)}`,
    );
  }
  return Array.from(prompt, (token, t) => {
    if (!Number.isInteger(token)) {
      throw new TypeError(
        `${where}: token ${t} of the prompt must be a whole number, got ${textOf(token)}; encode text before`,
      );
    }
    return new Int32Array(rows).fill(token);
  });
}

/** The tokens of one step as a model reads them, int32 `[rows]`. */
export function tokenTensor(tokens: Int32Array, backend: Backend | undefined): Tensor {
  return tensor(tokens, backend && { backend });
}
