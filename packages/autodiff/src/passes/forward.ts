import { apply } from "../ops/apply.ts";
import { isNone } from "../ops/declare.ts";
import { type Entry, slotOf } from "../tape/entry.ts";
import type { Queue } from "../tape/queue.ts";
import type { Recording } from "../tape/recording.ts";
import { Region, within } from "../tensor/block.ts";
import { filled } from "../tensor/create.ts";
import { alias, giveOwner, type Tensor } from "../tensor/tensor.ts";
import { fits, misfit, thrown } from "./returned.ts";

const spent = "it was an intermediate value of a forward sweep";

/**
 * Forward-mode sweep: from tangents of watched leaves up the tape, entry by entry, to the outputs.
 *
 * Entries that no tangent reaches are skipped, and a tangent is returned to the pool after its last
 * use.
 *
 * @param tangents per leaf slot; slots left out do not vary
 * @returns one tangent per output; `undefined` where it does not vary
 */
export function forward(
  recording: Recording,
  tangents: ReadonlyMap<number, Tensor>,
  outputs: readonly Tensor[],
): (Tensor | undefined)[] {
  const { entries, base } = recording;
  const count = 1 + outputs.reduce((high, { id }) => Math.max(high, id - base), -1);
  const known = new Array<Tensor | undefined>(count);
  const lastUse = lastUses(entries, count, outputs);
  const region = new Region();
  /** No slot is that of a constant, and no tangent is known of what was forgotten. */
  const at = (id: number): Tensor | undefined =>
    id < 0 ? tangents.get(slotOf(id)) : known[id - base];
  try {
    within(region, () => {
      for (let i = 0; i < count; i++) {
        const entry = entries.at(base + i);
        const incoming = entry.ids.map((id) => at(id) ?? null);
        const tangent = incoming.some((t) => t !== null)
          ? push(entry, incoming, base + i)
          : undefined;
        tangent?.block.retain();
        known[i] = tangent;
        region.end(spent);
        for (const id of entry.ids) {
          if (id < base || lastUse[id - base] !== i) continue;
          known[id - base]?.block.release(spent);
          known[id - base] = undefined;
        }
      }
    });
    return outputs.map(({ id }) => {
      const found = at(id);
      return found === undefined || found.tape !== null
        ? found
        : giveOwner(alias(found, found.shape));
    });
  } finally {
    region.end(spent);
    for (const tangent of known) tangent?.block.release(spent);
  }
}

/** The last entry that reads each entry's tangent; none for those that are asked for. */
function lastUses(entries: Queue<Entry>, count: number, outputs: readonly Tensor[]): Int32Array {
  const { base } = entries;
  const last = new Int32Array(count).fill(-1);
  for (let i = 0; i < count; i++) {
    for (const id of entries.at(base + i).ids) if (id >= base) last[id - base] = i;
  }
  for (const { id } of outputs) if (id >= base) last[id - base] = -1;
  return last;
}

/** The tangent of one entry's output. */
function push(
  entry: Entry,
  tangents: readonly (Tensor | null)[],
  position: number,
): Tensor | undefined {
  entry.checkVersions(position);
  const { declaration, inputs, attributes } = entry;
  const { jvp } = declaration;
  if (isNone(jvp)) return undefined;
  if (jvp !== "linear") {
    let tangent: Tensor;
    try {
      tangent = jvp(tangents, entry);
    } catch (error) {
      throw thrown(error, "jvp", entry, position);
    }
    if (!fits(tangent, entry.output)) throw misfit(tangent, entry.output, "jvp", entry, position);
    return tangent;
  }
  const whole = inputs.map(
    (input, i) => tangents[i] ?? giveOwner(filled(input.backend, input.shape, 0, input.dtype)),
  );
  return apply(declaration, whole, attributes);
}
