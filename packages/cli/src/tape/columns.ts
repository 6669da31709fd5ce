import type { ListedEntry } from "@chronograd/autodiff/extend";
import { type Layered, type LayeredNode, layered } from "./layered.ts";
import { inputName, type RecordedSteps } from "./record.ts";

/** A box of the picture. */
export interface Box {
  readonly key: string;
  readonly label: string;
  /** The parameters that the op reads. */
  readonly params: string;
  /** The entry, or what stands below and above the entries. */
  readonly entry: ListedEntry | "input" | "output";
  readonly width: number;
}

/** The graph of one time step. */
export interface Column {
  readonly boxes: readonly Box[];
  readonly edges: readonly (readonly [from: string, to: string])[];
  readonly layout: Layered;
}

/** Pixels of a letter of the labels. */
export const letter = 7.25;

export const keyOf = (position: number): string => `entry ${position}`;

/** `x` for the path "", `x.up` for "up". */
const named = (name: string, path: string): string => (path === "" ? name : `${name}.${path}`);

/** The boxes of a step, what leads from one to another, and their places. */
export function columnOf({ steps, states, outputs }: RecordedSteps, t: number): Column {
  const entries = steps[t - 1]!;
  const own = new Set(entries.map(({ position }) => position));
  const made = new Set(states[t]!.map(([, origin]) => origin));
  const boxes: Box[] = [];
  const sides = new Map<string, number>();
  const edges: (readonly [string, string])[] = [];
  const add = (key: string, label: string, params: string, entry: Box["entry"], side: number) => {
    if (sides.has(key)) return;
    const text = params === "" ? label : `${label} ${params}`;
    boxes.push({ key, label, params, entry, width: Math.max(30, text.length * letter + 16) });
    sides.set(key, side);
  };
  const inputs = entries.flatMap((entry) => entry.inputs.flatMap(leafOf));
  for (const leaf of inputs.filter(isInput)) add(leaf, leaf, "", "input", 0);
  for (const entry of entries) {
    const key = keyOf(entry.position);
    const leaves = entry.inputs.flatMap(leafOf);
    const params = leaves.filter((leaf) => leaf.startsWith("params"));
    const isReader = entry.inputs.some((input) => typeof input === "number" && !own.has(input));
    const side = Number(made.has(entry.position)) - Number(isReader || leaves.some(isState));
    add(key, entry.op, params.map((leaf) => leaf.slice("params.".length)).join(" "), entry, side);
    for (const input of entry.inputs) {
      if (typeof input === "number" && own.has(input)) edges.push([keyOf(input), key]);
    }
    for (const leaf of leaves.filter(isInput)) edges.push([leaf, key]);
  }
  const last = new Set<string>();
  for (const [path, origin] of outputs[t - 1]!) {
    if (typeof origin !== "number" || !own.has(origin)) continue;
    const key = named("y", path);
    add(key, key, "", "output", 0);
    edges.push([keyOf(origin), key]);
    last.add(key);
  }
  const unique = [...new Map(edges.map((edge) => [edge.join(">"), edge])).values()];
  const nodes = boxes.map(
    ({ key, width, entry }): LayeredNode => ({
      key,
      width,
      side: sides.get(key)!,
      isLight: typeof entry === "string",
    }),
  );
  return { boxes, edges: unique, layout: layered(nodes, unique, last) };
}

const leafOf = (input: ListedEntry["inputs"][number]): string[] =>
  typeof input === "object" && input !== null ? [input.leaf] : [];

const isInput = (leaf: string): boolean => leaf === inputName || leaf.startsWith(`${inputName}.`);

/** What a part of the state is called in the picture. */
export const nameOfState = (path: string): string => (path === "" ? "state" : path);

/** Whether a leaf is part of the state before the first step. */
export const isState = (leaf: string): boolean => leaf.startsWith("state");
