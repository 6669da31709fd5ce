import { hold, type Law, type LawResult } from "@chronograd/autodiff/testing";
import type { Io } from "../command/io.ts";
import { head, linesOf } from "./lines.ts";

/** A law that was held, and its group. */
export interface HeldLaw extends LawResult {
  readonly group: string;
}

/** Laws without which the others say nothing. */
const needed: readonly string[] = ["step", "purity", "shapes", "repeats"];

/** What was found, and how many laws were left out because one that they build on is broken. */
export interface Held {
  readonly laws: readonly HeldLaw[];
  readonly left: number;
}

/** Holds laws one by one, and says of each what became of it. */
export function holdInTurn(
  laws: readonly (readonly [group: string, law: Law])[],
  cases: { readonly seed: number; readonly runs: number },
  io: Pick<Io, "say" | "color" | "stopping">,
): Held {
  const held: HeldLaw[] = [];
  let last = "";
  io.say(head);
  for (const [i, [group, law]] of laws.entries()) {
    const isDoubtful = held.some(({ name, ok }) => !ok && needed.includes(name));
    if ((isDoubtful && !needed.includes(law.name)) || io.stopping()) {
      return { laws: held, left: laws.length - i };
    }
    const result = hold(law, cases);
    if (result === undefined) continue;
    if (group !== last) io.say(`\n${group}`);
    last = group;
    held.push({ group, ...result });
    for (const line of linesOf(result, io.color)) io.say(line);
    // A cell that does not run breaks every other law too.
    if (!result.ok && law.name === "step") return { laws: held, left: laws.length - i - 1 };
  }
  return { laws: held, left: 0 };
}
