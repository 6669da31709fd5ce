import type { LawResult } from "@chronograd/autodiff/testing";
import { placeOf } from "../modules/place.ts";

const paint = (text: string, code: number, color: boolean) =>
  color ? `\u001b[${code}m${text}\u001b[0m` : text;

/** The head of the table. */
export const head: string = `  ${"".padEnd(6)}  ${"law".padEnd(22)}  ${"worst <= bound".padEnd(17)}  numbers compared`;

/** A law in a line of the table; below a broken one what it says, and what was found. */
export function linesOf(result: LawResult, color: boolean): string[] {
  const { name, statement, ok, worst, bound, cases, what = "" } = result;
  const verdict = ok ? paint("ok    ", 32, color) : paint("BROKEN", 31, color);
  const error = bound === 0 ? "exact" : `${worst.toExponential(1)} <= ${bound.toExponential(0)}`;
  const measured = `${error.padEnd(17)}  ${cases.toLocaleString("en")}`;
  const line = `  ${verdict}  ${name.padEnd(22)}  ${ok ? measured : statement}`;
  return ok ? [line] : [line, ...sentencesOf(what).map((each) => `          ${each}`)];
}

/**
 * A finding in a sentence or two: what is to blame, where that is known, and the first of what was
 * found. `--json` has all of it.
 */
function sentencesOf(what: string): string[] {
  const lines = what
    // The values of a tensor say less than its shape.
    .replace(/tensor\([^)]*?(\w+ \[[\d,]*\])\)/g, "$1")
    .replace(/ \(called at [^)]*(?:node_modules|packages)\/[^)]*\)/g, "")
    .replace(/(\/[^\s:()]+):(\d+)/g, (_, file: string, row: string) => `${placeOf(file)}:${row}`)
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !/; the (worst|first):$/.test(line));
  const blame = lines.filter((line) => line.startsWith("to blame: "));
  const others = lines.filter((line) => !blame.includes(line));
  return [...blame.slice(0, 1), ...others.slice(0, 1)];
}
