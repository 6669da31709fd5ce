import { readFileSync } from "node:fs";
import { hold } from "@chronograd/autodiff/testing";
import type { Subject } from "../subject.ts";
import { subjects } from "../suite.ts";
import type { Mutant } from "./mutant.ts";

/** The law that a mutant broke first. */
export interface Broken {
  readonly group: string;
  readonly subject: string;
  readonly law: string;
  readonly seed: number;
  readonly what: string;
}

/** Groups that test a folder, the most sensitive first. */
const about: readonly (readonly [folder: string, groups: readonly string[]])[] = [
  ["autodiff/src/compile/", ["integers", "truncated streams", "programs"]],
  ["autodiff/src/kernels/", ["memory", "integers", "programs"]],
  ["rnn/src/truncated/", ["truncated streams", "truncat", "training"]],
  ["rnn/src/loop/", ["loops"]],
  ["rnn/src/models/", ["models"]],
  ["rnn/src/estimators/", ["estimators"]],
  ["rnn/src/derivatives/", ["estimators"]],
  ["rnn/src/flow/", ["flow"]],
  ["rnn/src/", ["cells", "training", "truncat"]],
  ["nn/src/layers/", ["layers", "integers"]],
  ["nn/src/losses/", ["losses"]],
  ["nn/src/files/", ["files"]],
  ["nn/src/parallel/", ["files", "workers"]],
  ["nn/src/clip/", ["clipping"]],
  ["nn/src/optim/", ["optimizers"]],
  ["autodiff/src/transforms/", ["transforms", "programs"]],
  ["autodiff/src/testing/", ["checks"]],
  ["autodiff/src/passes/returned", ["checks"]],
  ["autodiff/src/passes/forward", ["transforms", "programs"]],
  [
    "autodiff/src/ops/",
    ["windows", "conventions", "integers", "creation", "transforms", "tape", "programs"],
  ],
  ["autodiff/src/", ["integers", "creation", "tape", "programs", "transforms"]],
];

/** How likely the laws of a subject notice; only the order of the trial depends on it. */
function relevance(
  { name, group }: Subject,
  { name: bug, file }: Mutant,
  own: Set<string>,
): number {
  if (bug.startsWith(`${name}:`)) return 3;
  if (own.has(name) && group.startsWith("ops")) return 2;
  const groups = about.find(([folder]) => file.includes(folder))?.[1] ?? [];
  const rank = groups.findIndex((part) => group.toLowerCase().includes(part));
  return rank < 0 ? 0 : 2 - rank / 10;
}

/** What a file exports, ops among it. */
function exportsOf(file: string): Set<string> {
  const text = readFileSync(new URL(`../../${file}`, import.meta.url), "utf8");
  return new Set([...text.matchAll(/^export const (\w+)/gm)].map(([, name]) => name!));
}

/** All subjects, those first that are about what the mutant changes. */
function ordered(mutant: Mutant | undefined): Subject[] {
  const all = subjects();
  if (mutant === undefined) return all;
  const own = exportsOf(mutant.file);
  const ranked = all.map((subject) => [relevance(subject, mutant, own), subject] as const);
  return ranked.sort(([a], [b]) => b - a).map(([, subject]) => subject);
}

/** Holds every law of the suite, up to the first that is broken. */
export function firstBroken(mutant: Mutant | undefined, runs: number): Broken | undefined {
  for (const { name, group, laws } of ordered(mutant)) {
    for (const law of laws) {
      const result = hold(law, { seed: 1, runs });
      if (result === undefined || result.ok) continue;
      const { seed = 1, what = "" } = result;
      return { group, subject: name, law: law.name, seed, what };
    }
  }
  return undefined;
}
