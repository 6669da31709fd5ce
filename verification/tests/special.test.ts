import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Written } from "../special/reasons.ts";
import { reasonOf, reasons } from "../special/reasons.ts";
import {
  areAlike,
  differs,
  evaluate,
  type SpecialPoints,
  specialPoints,
  tangents,
} from "../special/table.ts";

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

test("forward mode has the same derivatives, where none is infinite", () => {
  const finite = table.rows.filter(({ ours }) => ours.every((x) => Number.isFinite(Number(x))));
  const wrong = finite.filter((row) => {
    return tangents(row).some((dy, k) => !areAlike(dy, row.ours[k + 1]!));
  });
  expect(wrong.map(({ op, at, ours }) => `${op} at (${at}): ${ours}`)).toEqual([]);
  expect(finite.length).toBeGreaterThan(200);
});

test("float32 has the same numbers, where it has the points", () => {
  const isThere = (x: Written) => Number.isNaN(Number(x)) || Math.fround(Number(x)) === Number(x);
  const there = table.rows.filter(({ at, ours }) => [...at, ...ours].every(isThere));
  const wrong = there.filter((row) => {
    return evaluate(row, "float32").some((x, k) => !areAlike(x, row.ours[k]!, 1e-5));
  });
  expect(wrong.map(({ op, at, ours }) => `${op} at (${at}): ${ours}`)).toEqual([]);
  expect(there.length).toBeGreaterThan(200);
});

test("every reason is needed", () => {
  const used = new Set(table.rows.filter(differs).map(({ op, at }) => reasonOf(op, at)));
  expect(reasons.filter((reason) => !used.has(reason))).toEqual([]);
});
