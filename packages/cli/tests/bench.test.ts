import { nativeBlas } from "@chronograd/autodiff";
import { expect, test } from "vitest";
import { bench } from "../src/commands/bench.ts";
import { elmanCell, folder, write } from "./files.ts";
import { run } from "./run.ts";

const at = write(folder(), {
  "elman.ts": elmanCell,
  "nan.ts": elmanCell.replace(".tanh()", ".neg().square().neg().log()"),
  "throws.ts": elmanCell.replace(
    "const next =",
    'if (x.size > 0) throw new Error("no");\n    const next =',
  ),
});
const quick = ["--at", "3x2", "--steps", "4", "--input", "2", "--seconds", "0.01"];

test("a built-in cell and a user's, recorded and compiled", async () => {
  const { code, out, err } = await run(
    bench,
    ...quick,
    "--cells",
    "gru",
    "--cell",
    at("elman.ts"),
    "--json",
  );
  expect(code).toBe(0);
  const { machine, rows } = JSON.parse(out);
  expect(machine.blas).toEqual(nativeBlas());
  expect(rows.map(({ cell }: { cell: string }) => cell)).toEqual(["gru", at("elman.ts")]);
  for (const { recorded, compiled, rowsPerSecond } of rows) {
    expect(recorded).toBeGreaterThan(0);
    expect(compiled).toBeGreaterThan(0);
    // 4 steps of 2 rows in the faster of both.
    expect(rowsPerSecond).toBe(Math.round(8000 / Math.min(recorded, compiled)));
  }
  expect(err).toMatch(/^ {2}gru +3 x 2 /m);
});

test("what cannot be timed is told in a sentence", async () => {
  const said = async (...flags: string[]) => {
    const { code, err } = await run(bench, ...quick, ...flags);
    return `${code} ${err.trim()}`;
  };
  expect(await said("--cells", "lstn")).toMatchInlineSnapshot(
    `"2 bench: --cells: there is no lstn, did you mean "lstm"? expected some of elman, gru, gruResetBefore, irnn, lru, lstm, lstmCoupled, lstmLayerNorm, lstmPeephole, lstmProjected, mgu, minGru, minLstm"`,
  );
  expect(await said("--at", "32")).toMatchInlineSnapshot(
    `"2 bench: --at: expected units and rows such as 128x32, got "32""`,
  );
  expect(
    (await said("--cells", "gru", "--cell", at("nan.ts"))).replace(at("nan.ts"), "nan.ts"),
  ).toMatch(
    /^1 .*bench: the loss of 4 time steps is not finite, for nan.ts, 3 x 2: its times are not those of a cell that learns; chronograd check says more/s,
  );
  expect(await said("--cells", "gru", "--cell", at("throws.ts"))).toMatch(
    /^1 .*bench: .*throws.ts:\d+: .*no; chronograd check says more of a cell in a file$/s,
  );
  expect(await said("--cell", "gone.ts")).toMatchInlineSnapshot(
    `"2 bench: cannot load gone.ts: there is no such file"`,
  );
});
