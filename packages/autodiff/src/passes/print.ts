import { constantId, slotOf } from "../tape/entry.ts";
import type { Recording } from "../tape/recording.ts";
import { describeType } from "../tensor/text.ts";

/**
 * The tape as text, one entry a line: `%3 = tanh(%2) float32 [2,4]`; `$0` is a watched leaf, `_` a
 * constant.
 */
export function print(recording: Recording): string {
  const name = (id: number): string => {
    if (id === constantId) return "_";
    return id < 0 ? `$${slotOf(id)}` : `%${id}`;
  };
  return [...recording.entries]
    .map(({ declaration, ids, output }, i) => {
      const inputs = ids.map(name).join(", ");
      return `%${recording.base + i} = ${declaration.name}(${inputs}) ${describeType(output)}`;
    })
    .join("\n");
}
