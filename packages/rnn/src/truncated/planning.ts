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

type Choices = Pick<Plan<never, never, never>, "compile" | "stale" | "k1">;

/** Why the steps of a stream do not run as plans, in words; `undefined` where they may. */
export function whyNoPlan({ compile, stale, k1 }: Choices): string | undefined {
  if (!compile) return "compile is not true";
  if (stale === "recompute") return 'stale is "recompute", which reruns steps on tapes';
  if (!Number.isFinite(k1)) return "k1 is Infinity";
  return undefined;
}

/** What is said of steps that run on a tape. */
export function onTape(plan: Choices, reason: string | undefined = whyNoPlan(plan)): string {
  return `step by step on a tape, because ${reason}`;
}
