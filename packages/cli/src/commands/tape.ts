import { basename, extname } from "node:path";
import * as z from "zod";
import { drawInputs, examinationOf } from "../check/examination.ts";
import { checkWindow } from "../checkWindow.ts";
import { counted } from "../command/counted.ts";
import { type Command, defineCommand } from "../command/define.ts";
import { RunError, UsageError } from "../command/errors.ts";
import { checkFree, writeOutput } from "../command/writeOutput.ts";
import { type LoadedCell, loadCell, sizesText } from "../modules/loadCell.ts";
import { ownLine } from "../modules/place.ts";
import { cellFlags, parseSizes } from "../modules/sizes.ts";
import { drawTape } from "../tape/draw.ts";
import { recordSteps } from "../tape/record.ts";
import { windowSpans } from "../tape/windows.ts";

/** The name of a cell, with its sizes where it was made with some. */
function titleOf({ name, family, sizes }: LoadedCell): string {
  const own = family === undefined || family.name === "cell" ? basename(name) : family.name;
  return Object.keys(sizes).length === 0 ? own : `${own} ${sizesText(sizes)}`;
}

/** Draws what a cell records, step by step. */
export const tape: Command = defineCommand({
  name: "tape",
  summary: "Draws the unrolled graph of a cell as SVG, with the cuts of truncation.",
  positionals: [{ name: "file", description: "the file that exports the cell", required: true }],
  options: z.object({
    file: z.string(),
    ...cellFlags,
    steps: z.int().min(1).max(24).default(6).describe("time steps"),
    k1: z.int().min(1).default(2).describe("new steps of a window"),
    k2: z.int().min(1).default(3).describe("steps that a window goes back"),
    equations: z
      .boolean()
      .default(false)
      .describe("the equations of the cell in place of fused ops, where it has some"),
    out: z
      .string()
      .optional()
      .describe("the picture; NAME.tape.svg unless given")
      .meta({ value: "FILE" }),
    force: z.boolean().default(false).describe("replace the picture if it is there"),
  }),
  examples: [
    "chronograd tape ./my-cell.ts",
    "chronograd tape ./my-cell.ts --steps 6 --k1 2 --k2 4 --out tape.svg",
    "chronograd tape ./my-cell.ts --equations --steps 3",
  ],
  async run({ file, size, export: name, steps, k1, k2, equations, out, force }, io) {
    checkWindow({ k1, k2 });
    const path = out ?? `${basename(file, extname(file))}.tape.svg`;
    checkFree(path, force, "--out");
    const loaded = await loadCell(file, { sizes: parseSizes(size), export: name });
    const { cell } = loaded;
    if (equations && cell.equations === undefined) {
      throw new UsageError(`${loaded.name} has no equations; leave out --equations`);
    }
    const own = { steps, batch: 1, tolerance: 1e-7, k1, k2 };
    const inputs = drawInputs(examinationOf(loaded, own), 1);
    const shown = equations ? { ...cell, step: cell.equations! } : cell;
    let recorded: ReturnType<typeof recordSteps>;
    try {
      recorded = recordSteps(shown, inputs, 1);
    } catch (error) {
      const [line, message] =
        error instanceof Error ? [ownLine(error), error.message] : [undefined, String(error)];
      throw new RunError(`${line ?? loaded.name}: ${message}; chronograd check says more`);
    }
    const title = `${titleOf(loaded)}, k1 = ${k1}, k2 = ${k2}`;
    await writeOutput(path, drawTape(recorded, { title, k1, k2 }));
    const entries = recorded.steps.map((each) => each.length);
    const windows = windowSpans(steps, k1, k2);
    io.result({ file, picture: path, entries, windows, listing: recorded.steps.flat() });
    const sum = entries.reduce((a, b) => a + b, 0);
    const cuts = windows.filter(({ start }) => start > 0).length;
    io.say(
      `${path}: ${counted(sum, "entry", "entries")} in ${counted(steps, "step")}, ${counted(windows.length, "window")}, ${cuts} of them cut`,
    );
  },
});
