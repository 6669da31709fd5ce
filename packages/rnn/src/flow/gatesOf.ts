import type { Tape } from "@chronograd/autodiff";
import { entriesOf, type ListedEntry } from "@chronograd/autodiff/extend";

/** A function with bounds. */
type Bounded = "sigmoid" | "tanh" | "relu";

/** A gate of one step of a model. */
export interface Gate {
  /** The same at each step. */
  readonly name: string;
  readonly op: Bounded;
  /** Paths of the parameters that enter, other gates aside. */
  readonly params: readonly string[];
  /** Elements of a row. */
  readonly units: number;
  /** One element of one row. */
  values(row: number, unit: number): number;
}

/** Gates that stand side by side along the last axis of an op's output. */
const fused: Readonly<Record<string, readonly (readonly [name: string, op: Bounded])[]>> = {
  lstmGates: [
    ["i", "sigmoid"],
    ["f", "sigmoid"],
    ["g", "tanh"],
    ["o", "sigmoid"],
  ],
  gruGates: [
    ["r", "sigmoid"],
    ["z", "sigmoid"],
    ["n", "tanh"],
  ],
};

const isBounded = (op: string): op is Bounded => ["sigmoid", "tanh", "relu"].includes(op);

/**
 * All gates of a step of so many rows that was recorded with its parameters watched as `params`. A
 * gate without rows is the same in all.
 */
export function gatesOf(tape: Tape, rows: number): Gate[] {
  const entries = entriesOf(tape);
  const counts = new Map<string, number>();
  const named = (place: string, own: string): string => {
    const name = place === "" ? own : `${place}.${own}`;
    const count = (counts.get(name) ?? 0) + 1;
    counts.set(name, count);
    return count === 1 ? name : `${name} ${count}`;
  };
  const isGate = ({ op }: ListedEntry) => isBounded(op) || op in fused;
  const paths = paramsOf(entries, isGate);
  return entries.filter(isGate).flatMap((entry) => {
    const { op, place, position, shape } = entry;
    const blocks = isBounded(op) ? ([[op, op]] as const) : fused[op]!;
    const elements = tape.entries.at(position).output.toTypedArray();
    const isOfRows = shape[0] === rows;
    const inRow = isOfRows ? elements.length / rows : elements.length;
    const columns = (shape.at(-1) ?? 1) / blocks.length;
    return blocks.map(([own, kind], block): Gate => {
      return {
        name: named(place, own),
        op: kind,
        params: paths(position),
        units: inRow / blocks.length,
        values(row, unit) {
          const outer = Math.floor(unit / columns) * blocks.length + block;
          return elements[(isOfRows ? row * inRow : 0) + outer * columns + (unit % columns)]!;
        },
      };
    });
  });
}

/** The parameters on the way to an entry, back to the gates before it. */
function paramsOf(
  entries: readonly ListedEntry[],
  isGate: (entry: ListedEntry) => boolean,
): (position: number) => string[] {
  const own = entries.map(() => new Set<string>());
  for (const [position, { inputs }] of entries.entries()) {
    for (const input of inputs) {
      if (input === null) continue;
      if (typeof input !== "number") {
        const [root, ...path] = input.leaf.split(".");
        if (root === "params") own[position]!.add(path.join("."));
      } else if (!isGate(entries[input]!)) {
        for (const path of own[input]!) own[position]!.add(path);
      }
    }
  }
  return (position) => [...own[position]!].sort();
}
