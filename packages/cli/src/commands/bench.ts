import { availableParallelism, cpus, loadavg } from "node:os";
import { defaultBackend, nativeBlas } from "@chronograd/autodiff";
import { cellTable } from "@chronograd/rnn/testing";
import * as z from "zod";
import { type BenchCase, type StepTimes, stepTimes } from "../bench/stepTimes.ts";
import { counted } from "../command/counted.ts";
import { type Command, defineCommand } from "../command/define.ts";
import { RunError, UsageError } from "../command/errors.ts";
import { hintFor } from "../command/nearest.ts";
import type { PlainCell } from "../modules/loadCell.ts";
import { loadCell } from "../modules/loadCell.ts";
import { ownLine } from "../modules/place.ts";
import { cellFlags, parseSizes } from "../modules/sizes.ts";
import { builtInCells } from "../training/families.ts";

/** Makes a cell with sizes. */
type Make = (sizes: Readonly<Record<string, number | string>>) => Promise<PlainCell> | PlainCell;

/** `"128x32"` as hidden units and rows. */
function parseCase(word: string): { hidden: number; batch: number } {
  const [, hidden, batch] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(word) ?? [];
  if (hidden === undefined) {
    throw new UsageError(
      `--at: expected units and rows such as 128x32, got ${JSON.stringify(word)}`,
    );
  }
  return { hidden: Number(hidden), batch: Number(batch) };
}

/** The built-in cells that map vectors to vectors, by name. */
function chosenCells(names: readonly string[]): (readonly [name: string, make: Make])[] {
  const rows = cellTable().filter((row) => row.takesVectors && row.name === row.family);
  const known = rows.map(({ name }) => name);
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new UsageError(
      `--cells: there is no ${unknown}${hintFor(unknown, known, ";")} expected some of ${known.join(", ")}`,
    );
  }
  return rows
    .filter(({ name }) => names.includes(name))
    .map((row) => [row.name, (sizes) => row.make(sizes) as never] as const);
}

const milliseconds = (value: number | null) => (value === null ? "-" : value.toPrecision(3));

/** The times of a cell; a sentence where it does not run. */
function timesOf(subject: string, of: BenchCase): StepTimes {
  try {
    return stepTimes(of);
  } catch (error) {
    const line = error instanceof Error ? ownLine(error) : undefined;
    throw new RunError(
      `${line ?? subject}: ${(error as Error).message}; chronograd check says more of a cell in a file`,
    );
  }
}

/** Times training steps on this machine. */
export const bench: Command = defineCommand({
  name: "bench",
  summary: "Times training steps on this machine, recorded and compiled.",
  options: z.object({
    cells: z
      .array(z.string())
      .default(["elman", "gru", "lstm", "minGru"])
      .describe("built-in cells")
      .meta({ examples: [...builtInCells] }),
    cell: z
      .string()
      .optional()
      .describe("a file with a cell to time as well")
      .meta({ value: "FILE" }),
    ...cellFlags,
    at: z.array(z.string()).default(["32x1", "128x32"]).describe("hidden units x rows of a batch"),
    steps: z.int().min(1).max(1000).default(50).describe("time steps"),
    input: z.int().min(1).max(10_000).default(64).describe("length of an input"),
    seconds: z.number().positive().max(60).default(0.3).describe("how long each is measured"),
  }),
  examples: [
    "chronograd bench",
    "chronograd bench --cells lstm,gru --at 64x1,256x32",
    "chronograd bench --cell ./my-cell.ts --json",
  ],
  async run({ cells, cell: file, size, export: name, at, steps, input, seconds }, io) {
    const cases = at.map(parseCase);
    const subjects = chosenCells(cells);
    if (file !== undefined) {
      const own = parseSizes(size);
      const load: Make = async (defaults) =>
        (await loadCell(file, { defaults: defaults as never, sizes: own, export: name })).cell;
      subjects.push([file, load]);
    }
    const machine = {
      cpu: cpus()[0]?.model.trim() ?? "unknown",
      cores: availableParallelism(),
      node: process.version,
      kernels: defaultBackend().kernels.name,
      blas: nativeBlas(),
    };
    const { blas } = machine;
    io.say(`${machine.cpu}, ${machine.cores} cores, Node ${machine.node}`);
    io.say(`kernels: ${machine.kernels}${blas.found ? "" : `; BLAS: ${blas.what}`}`);
    const busy = loadavg()[0]!;
    if (busy > 1)
      io.say(`the machine is busy (load ${busy.toFixed(1)}), so the figures mean little`);
    io.say(`\nmilliseconds of a training step of ${steps} time steps, input ${input}`);
    io.say(
      `  ${"cell".padEnd(16)}${"units x rows".padStart(13)}${"recorded".padStart(10)}${"compiled".padStart(10)}${"rows/s".padStart(12)}`,
    );
    const rows: object[] = [];
    const odd: string[] = [];
    for (const [subject, make] of subjects) {
      for (const { hidden, batch } of cases) {
        if (io.stopping()) return io.result({ machine, steps, input, rows });
        const cell = await make({ input, hidden });
        const row = cell.input;
        if (row === undefined)
          throw new UsageError(`${subject}: bench times cells whose input is one tensor of floats`);
        const times = timesOf(subject, { cell, row, steps, batch, seconds });
        const best = Math.min(times.recorded, times.compiled ?? Infinity);
        const perSecond = Math.round((1000 * steps * batch) / best);
        rows.push({ cell: subject, hidden, batch, ...times, rowsPerSecond: perSecond });
        if (!Number.isFinite(times.loss)) odd.push(`${subject}, ${hidden} x ${batch}`);
        io.say(
          `  ${subject.padEnd(16)}${`${hidden} x ${batch}`.padStart(13)}${milliseconds(times.recorded).padStart(10)}${milliseconds(times.compiled).padStart(10)}${perSecond.toLocaleString("en").padStart(12)}`,
        );
      }
    }
    io.result({ machine, steps, input, rows });
    if (odd.length === 0) return;
    throw new RunError(
      `the loss of ${counted(steps, "time step")} is not finite, for ${odd.join("; ")}: its times are not those of a cell that learns; chronograd check says more of a cell in a file`,
    );
  },
});
