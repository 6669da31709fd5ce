import type { Kind, Mutant } from "./mutant.ts";
import type { Ending, Tried } from "./pool.ts";

/** A count and its total. */
export interface Share {
  readonly killed: number;
  readonly total: number;
}

/** The results of a set of mutants. */
export interface MutantReport extends Share {
  /** How many each law was the first to kill. */
  readonly byLaw: Readonly<Record<string, number>>;
  readonly byKind: Readonly<Partial<Record<Kind, Share>>>;
  readonly survivors: readonly (Pick<Mutant, "name" | "kind" | "file"> & {
    readonly why: string;
  })[];
  /** Trials that ended without a law: counted as killed. */
  readonly withoutLaw: readonly { readonly name: string; readonly how: string }[];
}

/** Whether a bug was noticed. One whose text is no longer there was not tried. */
export function isKilled({ is }: Ending): boolean {
  return is !== "survived" && is !== "out of date";
}

/**
 * What killed a mutant, as a heading: a law of ops and programs by its name, others with their
 * group.
 */
export function killer(ending: Ending): string {
  if (ending.is !== "killed") return ending.is;
  const { group, law } = ending.by;
  if (group.startsWith("ops") || group === "programs") return law;
  // The laws of optimizers are named by options.
  return law.startsWith("{") ? group : `${group}: ${law}`;
}

function counted(labels: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([, a], [, b]) => b - a));
}

/** Adds up trials. */
export function reportOf(tried: readonly Tried[]): MutantReport {
  const killed = tried.filter(({ ending }) => isKilled(ending));
  const kinds = [...new Set(tried.map(({ mutant }) => mutant.kind))].sort();
  const share = (kind: Kind): Share => ({
    killed: killed.filter(({ mutant }) => mutant.kind === kind).length,
    total: tried.filter(({ mutant }) => mutant.kind === kind).length,
  });
  return {
    killed: killed.length,
    total: tried.length,
    byLaw: counted(killed.map(({ ending }) => killer(ending))),
    byKind: Object.fromEntries(kinds.map((kind) => [kind, share(kind)])),
    survivors: tried
      .filter(({ ending }) => !isKilled(ending))
      .map(({ mutant: { name, kind, file, why }, ending }) => ({
        name,
        kind,
        file,
        why: "what" in ending ? ending.what : (why ?? "no law speaks about it"),
      })),
    withoutLaw: killed.flatMap(({ mutant, ending }) =>
      ending.is === "killed" ? [] : [{ name: mutant.name, how: ending.is }],
    ),
  };
}

/** One line about a trial. */
export function lineOf({ mutant: { name, kind }, ending, seconds }: Tried): string {
  const by =
    ending.is === "killed" ? `${ending.by.subject}, ${ending.by.law}` : ending.is.toUpperCase();
  return `${isKilled(ending) ? "killed  " : "SURVIVED"} ${name} (${kind}): ${by}, ${seconds.toFixed(1)} s`;
}

/** The table at the end. */
export function tableOf(report: MutantReport): string {
  const { killed, total, byLaw, byKind, survivors, withoutLaw } = report;
  const width = Math.max(...[...Object.keys(byLaw), ...Object.keys(byKind)].map((s) => s.length));
  const percent = ((100 * killed) / total).toFixed(1);
  const lines = [`${killed} of ${total} mutants killed (${percent} %)`, "", "by kind"];
  for (const [kind, share] of Object.entries(byKind)) {
    lines.push(`  ${kind.padEnd(width)}  ${share.killed} of ${share.total}`);
  }
  lines.push("", "by the first law that broke");
  for (const [law, count] of Object.entries(byLaw)) lines.push(`  ${law.padEnd(width)}  ${count}`);
  if (withoutLaw.length > 0) {
    lines.push("", "killed without a law");
    for (const { name, how } of withoutLaw) lines.push(`  ${name}: ${how}`);
  }
  lines.push("", survivors.length === 0 ? "no survivors" : "survivors");
  for (const { name, kind, file, why } of survivors) {
    lines.push(`  ${name} (${kind}, ${file})`, `    ${why}`);
  }
  return lines.join("\n");
}
