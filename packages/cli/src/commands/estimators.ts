import * as z from "zod";
import { checkWindow } from "../checkWindow.ts";
import { chosenOf } from "../command/chosenOf.ts";
import { type Command, defineCommand } from "../command/define.ts";
import { RunError } from "../command/errors.ts";
import { textTable } from "../command/textTable.ts";
import { checkFree, writeOutput } from "../command/writeOutput.ts";
import { compareAll } from "../estimators/compare.ts";
import { courseOf, randomCourse } from "../estimators/course.ts";
import { estimatorNamed, estimatorNames, visibleOf } from "../estimators/named.ts";
import { estimatorRows } from "../estimators/rows.ts";
import { drawEstimators } from "../flow/estimators.ts";
import { stretchOf } from "../instruments/stretch.ts";
import { loadCell, sizesText } from "../modules/loadCell.ts";
import { cellFlags, parseSizes } from "../modules/sizes.ts";
import { taskOf } from "../tasks/taskOf.ts";
import { modelOf } from "../training/model.ts";

const path = z.string().min(1).optional();

/** Compares ways to estimate the gradient of a cell. */
export const estimators: Command = defineCommand({
  name: "estimators",
  summary: "Compares truncation, RTRL and other estimators of a cell's gradient with full BPTT.",
  positionals: [{ name: "file", description: "the file that exports the cell", required: true }],
  options: z.object({
    file: z.string(),
    ...cellFlags,
    text: path.describe("a text to run over, instead of random numbers").meta({ value: "FILE" }),
    csv: path.describe("a CSV file to run over").meta({ value: "FILE" }),
    data: path.describe("a module to run over, as train takes it").meta({ value: "MODULE" }),
    hidden: z
      .int()
      .min(1)
      .default(8)
      .describe("hidden units; without data, those of --size unless given"),
    only: z
      .array(z.string())
      .default([...estimatorNames])
      .describe("estimators")
      .meta({ value: "NAMES" }),
    steps: z.int().min(2).max(100_000).default(20).describe("time steps"),
    batch: z.int().min(1).max(1024).default(2).describe("rows side by side"),
    k1: z.int().min(1).default(5).describe("steps between updates"),
    k2: z.int().min(1).default(5).describe("steps that truncation goes back, and ARTBP on average"),
    visible: z
      .array(z.string())
      .optional()
      .describe("what e-prop takes for visible in the state; all that is called h unless given")
      .meta({ value: "PATHS" }),
    repeats: z.int().min(2).max(100_000).default(64).describe("runs of those that draw"),
    seed: z
      .int()
      .min(0)
      .max(2 ** 32 - 1)
      .default(1)
      .describe("seed of every random draw"),
    picture: path.describe("an SVG of the table").meta({ value: "FILE" }),
    force: z.boolean().default(false).describe("replace the picture if it is there"),
  }),
  examples: [
    "chronograd estimators ./my-cell.ts",
    "chronograd estimators ./my-cell.ts --only truncated,rtrl,uoro --picture estimators.svg",
    "chronograd estimators ./my-cell.ts --csv weather.csv --hidden 16 --json",
  ],
  async run(options, io, given) {
    const { file, size, export: name, only, steps, batch, k1, k2, seed, repeats } = options;
    checkWindow({ k1, k2 });
    const names = chosenOf("--only", only, estimatorNames);
    if (options.picture !== undefined) checkFree(options.picture, options.force, "--picture");
    const { text, csv, data, hidden } = options;
    const isOnData = [text, csv, data].some((each) => each !== undefined);
    const read = async () => {
      const ofTask = { text, csv, data, batch, seed, temperature: 1, missing: "refuse" } as const;
      const task = await taskOf(ofTask);
      const cell = { cell: file, size, export: name, hidden, layers: 1 };
      const model = await modelOf(cell, task.interface);
      const stretch = stretchOf(task, { steps, rows: batch, isDefault: !given.has("steps") });
      return { course: courseOf(task, model, stretch.steps, seed), what: task.title };
    };
    const draw = async () => {
      const words = given.has("hidden") ? [`hidden=${hidden}`, ...size] : size;
      const loaded = await loadCell(file, { sizes: parseSizes(words), export: name });
      const what = `${loaded.name} ${sizesText(loaded.sizes)}`.trimEnd();
      return { course: randomCourse(loaded, { steps, batch, seed }), what };
    };
    const { course, what } = isOnData ? await read() : await draw();
    const sizes = { k1, k2, visible: options.visible ?? visibleOf(course.cell) };
    const all = names.map((each) => estimatorNamed(each, sizes));
    const { comparison, refused } = compareAll(course, all, { repeats, seed });
    const [firstRefused] = Object.values(refused);
    if (given.has("only") && firstRefused !== undefined) throw new RunError(firstRefused);
    const { parameters, full } = comparison;
    io.say(
      `${what}, ${parameters.toLocaleString("en")} parameters, ${course.steps.length} time steps of ${batch} rows; full back-propagation takes ${(1000 * full.seconds).toPrecision(3)} ms`,
    );
    io.say("");
    for (const line of textTable(estimatorRows(comparison))) io.say(line);
    for (const [each, why] of Object.entries(refused)) io.say(`${each} is left out: ${why}`);
    if (options.picture !== undefined) {
      await writeOutput(options.picture, drawEstimators(comparison));
      io.say(`${options.picture} has the picture`);
    }
    io.result({ file, ...comparison, refused, picture: options.picture ?? null });
  },
});
