import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { reasonOf, reasons } from "../special/reasons.ts";
import { areAlike, differs, type SpecialPoints, specialPoints } from "../special/table.ts";

const table = specialPoints();
const kept = JSON.parse(
  readFileSync(new URL("../results/special.json", import.meta.url), "utf8"),
) as SpecialPoints;

test("the table that the site shows is what the library gives", () => {
  const again = "node --conditions=@chronograd/source verification/special/make.ts makes it again";
  const head = ({ op, at, torch, jax, reason }: SpecialPoints["rows"][number]) =>
    JSON.stringify({ op, at, torch, jax, reason });
  expect(kept.rows.map(head), again).toEqual(table.rows.map(head));
  for (const [i, row] of kept.rows.entries()) {
    const now = table.rows[i]!.ours;
    const isSame = row.ours.every((value, k) => areAlike(value, now[k]!));
    expect(isSame, `${row.op} at ${row.at}: ${row.ours}, now ${now}; ${again}`).toBe(true);
  }
});

test("where the library differs from PyTorch, the reason is written", () => {
  const without = table.rows.filter((row) => differs(row) && row.reason === undefined);
  const shown = without.map(({ op, at, ours, torch, jax }) => {
    return `${op} at (${at}): ${ours}; PyTorch ${torch}; JAX ${jax}`;
  });
  expect(shown).toEqual([]);
});

test("every reason is needed", () => {
  const used = new Set(table.rows.filter(differs).map(({ op, at }) => reasonOf(op, at)));
  expect(reasons.filter((reason) => !used.has(reason))).toEqual([]);
});
