import type { Shape, Tensor } from "@chronograd/autodiff";
import type { Differences } from "./differences.ts";
import type { Layout, StateDict } from "./layout.ts";

/** What a state dict was compared with, and what came of it. */
interface Compared {
  readonly layout: Layout;
  readonly differences: Differences;
}

/** The families of cells by the number of their gates. */
const families: Readonly<Record<number, string>> = { 1: "elman", 3: "gru", 4: "lstm" };

/** What to do about a state dict that does not fit: the end of a sentence. */
export function wayOut(
  stateDict: StateDict,
  { layout, differences }: Compared,
  prefix: string,
  fits: (prefix: string) => boolean,
): string {
  const { missing, extra, wrong } = differences;
  const names = Object.keys(stateDict);
  const other = prefixesOf(names).find((each) => each !== prefix && fits(each));
  if (other === "") return "the names fit without a prefix: leave it out";
  if (other !== undefined) return `what begins with "${other}" fits: pass { prefix: "${other}" }`;
  if (names.includes("tensors") && names.includes("metadata")) {
    return "pass tensorsOf(file) of @chronograd/nn/safetensors, and not the file itself";
  }
  const has = (list: readonly string[], pattern: RegExp) => list.some((name) => pattern.test(name));
  if (has(extra, /_reverse$/)) {
    return "the module runs in both directions: convert it to bidirectional(cell)";
  }
  if (has(missing, /_reverse$/)) {
    return "the module runs in one direction: convert it to the cell without bidirectional";
  }
  const layer = /_l[1-9]\d*$/;
  if (has(extra, layer)) return "the module has more layers: convert it to stacked([...]) of all";
  if (has(missing, layer)) return "the module has fewer layers: stack as many cells as it has";
  if (has(extra, /weight_hr/)) return "the module has a proj_size: convert it to lstmProjected";
  if (has(missing, /weight_hr/)) return "the module has no proj_size: convert it to lstm";
  const gates = (shape: Shape) => shape[0]! / shape[1]!;
  const shapeOf = (name: string): Shape => (stateDict[name] as Partial<Tensor>).shape ?? [];
  const isOtherShape = (name: string) =>
    String(shapeOf(name)) !== String(layout.entries[name]!.shape);
  if (missing.length + extra.length === 0 && !wrong.some(isOtherShape)) {
    return 'give all of them as floats of one dtype, such as x.cast("float32")';
  }
  const recurrent = wrong.find((name) => /weight_hh/.test(name) && shapeOf(name).length === 2);
  if (recurrent !== undefined && !has(wrong, /weight_hr/)) {
    const found = gates(shapeOf(recurrent));
    const family = families[found];
    const isOther = gates(layout.entries[recurrent]!.shape) !== found;
    if (family !== undefined && isOther) {
      return `"${recurrent}" has the gates of another cell: convert it to ${family}`;
    }
  }
  const isTurned = (name: string) =>
    String(shapeOf(name).toReversed()) === String(layout.entries[name]!.shape);
  if (missing.length + extra.length === 0 && wrong.every(isTurned)) {
    return "PyTorch has its matrices as [outputs, inputs]: transpose these";
  }
  return "take the state dict of a module with the names and sizes of the model, or name a part of it with { prefix }";
}

/** All beginnings of names that end with a dot, and the empty one. */
function prefixesOf(names: readonly string[]): readonly string[] {
  const prefixes = new Set([""]);
  for (const name of names) {
    for (let at = name.indexOf("."); at >= 0; at = name.indexOf(".", at + 1)) {
      prefixes.add(name.slice(0, at + 1));
    }
  }
  return [...prefixes];
}
