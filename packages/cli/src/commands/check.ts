import type { Law } from "@chronograd/autodiff/testing";
import * as z from "zod";
import { type Examination, examinationOf } from "../check/examination.ts";
import { holdInTurn } from "../check/holdInTurn.ts";
import { type GroupName, groups } from "../check/laws.ts";
import { stepLaw } from "../check/step.ts";
import { checkWindow } from "../checkWindow.ts";
import { counted } from "../command/counted.ts";
import { type Command, defineCommand } from "../command/define.ts";
import { RunError, UsageError } from "../command/errors.ts";
import { loadCell, sizesText } from "../modules/loadCell.ts";
import { cellFlags, parseSizes } from "../modules/sizes.ts";

const names = Object.keys(groups) as [GroupName, ...GroupName[]];

/** The laws of a group; a sentence where the file's own options of them are wrong. */
function lawsOf(group: GroupName, examination: Examination): readonly Law[] {
  try {
    return groups[group](examination);
  } catch (error) {
    throw new UsageError(`${examination.name}: the export check: ${(error as Error).message}`);
  }
}

/** Holds a cell of a user's file to the laws of cells. */
export const check: Command = defineCommand({
  name: "check",
  summary: "Checks a cell: its contract, gradients, windows, and what must not matter.",
  positionals: [{ name: "file", description: "the file that exports the cell", required: true }],
  options: z.object({
    file: z.string(),
    ...cellFlags,
    only: z
      .array(z.enum(names))
      .default(names)
      .describe("groups of laws")
      .meta({ value: "GROUPS" }),
    steps: z.int().min(3).max(64).default(4).describe("time steps"),
    batch: z.int().min(2).max(64).default(3).describe("rows of a batch"),
    k1: z.int().min(1).max(16).default(2).describe("new steps of a window"),
    k2: z.int().min(1).max(64).default(3).describe("steps that a window goes back"),
    tolerance: z.number().positive().default(1e-7).describe("largest error of a derivative"),
    runs: z.int().min(1).max(1000).default(1).describe("random cases of each law"),
    seed: z.int().min(1).default(1).describe("seed of the first case"),
  }),
  examples: [
    "chronograd check ./my-cell.ts",
    "chronograd check ./my-cell.ts --size input=3 --size hidden=5",
    "chronograd check ./my-cell.ts --only gradients,rules --runs 10",
    "chronograd check ./my-cell.ts --json > laws.json",
  ],
  async run({ file, size, only, runs, seed, export: name, ...sizes }, io) {
    checkWindow(sizes);
    const loaded = await loadCell(file, { sizes: parseSizes(size), export: name });
    const examination = examinationOf(loaded, sizes);
    io.say(`${loaded.name} ${sizesText(loaded.sizes)}`.trimEnd());
    const all: (readonly [group: string, law: Law])[] = [["cell", stepLaw(examination)]];
    for (const group of names.filter((each) => only.includes(each))) {
      all.push(...lawsOf(group, examination).map((law) => [group, law] as const));
    }
    const { laws, left } = holdInTurn(all, { seed, runs }, io);
    const broken = laws.filter(({ ok }) => !ok).length;
    io.result({ file, sizes: loaded.sizes, ok: broken + left === 0, laws, left });
    if (broken === 0 && left === 0) return io.say(`\nall ${counted(laws.length, "law")} hold`);
    const rest = left === 0 ? "" : `, and ${left} were not checked`;
    throw new RunError(
      `${file}: ${broken} of ${laws.length} laws ${broken === 1 ? "is" : "are"} broken${rest}`,
    );
  },
});
