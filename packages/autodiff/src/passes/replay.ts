import { apply } from "../ops/apply.ts";
import type { Recording } from "../tape/recording.ts";
import { innermostPrimal, type Tensor } from "../tensor/tensor.ts";

/**
 * Runs the program again with some values replaced: entries after a position whose inputs changed
 * are applied anew, all others keep what they recorded.
 *
 * @param changed new values by id, of entries or leaves
 * @returns the values of `outputs` after that
 */
export function replay(
  recording: Recording,
  changed: ReadonlyMap<number, Tensor>,
  outputs: readonly Tensor[],
  from: number = recording.base,
): Tensor[] {
  const { entries, base } = recording;
  const values = new Map(changed);
  const end = outputs.reduce((high, { id }) => Math.max(high, id), base - 1);
  for (let position = Math.max(from, base); position <= end; position++) {
    if (changed.has(position)) continue;
    const { declaration, ids, inputs, attributes } = entries.at(position);
    if (!ids.some((id) => values.has(id))) continue;
    const anew = inputs.map((input, i) => values.get(ids[i]!) ?? innermostPrimal(input));
    values.set(position, apply(declaration, anew, attributes));
  }
  return outputs.map((y) => values.get(y.id) ?? innermostPrimal(y));
}
