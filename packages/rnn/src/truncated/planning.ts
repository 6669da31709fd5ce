import type { Plan } from "./options.ts";

/** The longest chunk that is planned as a whole. */
const longest = 64;

/** Steps that are planned together: as many as fit into every window and every cut, so that both fall between chunks. */
export function chunkLength(k1: number, k2: number): number {
  let [a, b] = [k1, Number.isFinite(k2) ? k2 : k1];
  while (b > 0) [a, b] = [b, a % b];
  let length = Math.min(a, longest);
  while (a % length !== 0) length--;
  return length;
}

/** Steps that a chunk must have to gain by a plan that nobody asked for. */
const worthwhile = 4;

/** Why the steps of a stream do not run as plans, in words; `undefined` where they may. */
export function whyNoPlan({
  compile,
  stale,
  k1,
  k2,
}: Pick<Plan<never, never, never>, "compile" | "stale" | "k1" | "k2">): string | undefined {
  if (compile === false) return "compile is false";
  if (stale === "recompute") return 'stale is "recompute", which reruns steps on tapes';
  if (!Number.isFinite(k1)) return "k1 is Infinity";
  const length = chunkLength(k1, k2);
  if (compile === true || length >= worthwhile) return undefined;
  return `chunks of ${length} are too short to gain: k1 and k2 have no common divisor of at least ${worthwhile} (compile: true plans all the same)`;
}

/** What is said of steps that run on a tape. */
export function onTape(
  plan: Pick<Plan<never, never, never>, "compile" | "stale" | "k1" | "k2">,
  reason: string | undefined = whyNoPlan(plan),
): string {
  return `step by step on a tape, because ${reason}`;
}
