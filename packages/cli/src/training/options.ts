import * as z from "zod";
import { runFlags } from "../command/runFlags.ts";
import type { Missing } from "../data/fill.ts";
import { cellFlags } from "../modules/sizes.ts";
import { builtInCells } from "./families.ts";

const count = z.int().min(1);
const positive = z.number().positive();
const path = z.string().min(1).optional();

/** What a run is started with; the schema below says what each is. */
export interface TrainOptions {
  readonly config: string | undefined;
  readonly text: string | undefined;
  readonly csv: string | undefined;
  readonly columns: string[] | undefined;
  readonly missing: Missing;
  readonly data: string | undefined;
  readonly cell: string;
  readonly size: string[];
  readonly export: string | undefined;
  readonly hidden: number | undefined;
  readonly layers: number;
  readonly batch: number;
  readonly k1: number;
  readonly k2: number;
  readonly clip: number;
  readonly lr: number;
  readonly warmup: number;
  readonly decay: number;
  readonly seconds: number | undefined;
  readonly windows: number | undefined;
  readonly threads: "auto" | number;
  readonly shards: 1 | 2 | 4 | 8 | undefined;
  readonly localUpdates: number | undefined;
  readonly outerLr: number;
  readonly outerMomentum: number;
  readonly save: number;
  readonly resume: string | undefined;
  readonly temperature: number;
  readonly flow: boolean;
  readonly csvMetrics: boolean;
  readonly printSchema: boolean;
  readonly name: string | undefined;
  readonly force: boolean;
  readonly seed: number;
}

/** Options in which the task has decided what was left open. */
export type DecidedOptions = TrainOptions & { readonly hidden: number };

/** A schema with a part for each option. */
type Schema = z.ZodObject<{
  readonly [Name in keyof TrainOptions]: z.ZodType<TrainOptions[Name]>;
}>;

/** The options of `chronograd train`, on the command line and in a configuration file. */
export const trainOptions: Schema = z.object({
  config: path.describe("a JSON file with these options; flags go before it"),
  text: path
    .describe("a UTF-8 text whose next character is predicted; Moby Dick if no data are named")
    .meta({ value: "FILE" }),
  csv: path.describe("a CSV file of numbers whose next row is predicted").meta({ value: "FILE" }),
  columns: z
    .array(z.string())
    .optional()
    .describe("columns of the CSV file; all that hold numbers unless given")
    .meta({ value: "A,B" }),
  missing: z
    .enum(["refuse", "interpolate", "previous"])
    .default("refuse")
    .describe("what becomes of missing values of the CSV file"),
  data: path
    .describe("a module that yields batches (see the guide, docs/guide/command.md)")
    .meta({ value: "MODULE" }),
  cell: z
    .string()
    .default("gru")
    .describe("a cell of @chronograd/rnn by name, or a file with one: ./my-cell.ts")
    .meta({ value: "NAME|FILE", examples: [...builtInCells] }),
  ...cellFlags,
  hidden: count
    .optional()
    .describe("hidden units of each layer; 256 for a text, and 32 for other data, unless given"),
  layers: count.max(16).default(1).describe("cells one above the other"),
  batch: count.default(32).describe("rows that are read side by side, of a text or a CSV file"),
  k1: count.default(50).describe("time steps between updates"),
  k2: count.default(50).describe("time steps that a gradient reaches back, at least k1"),
  clip: positive.default(1).describe("largest global norm of a gradient"),
  lr: positive.default(0.005).describe("largest learning rate of Adam"),
  warmup: z.int().min(0).default(100).describe("windows in which the learning rate rises to --lr"),
  decay: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("share of the training, at its end, in which the learning rate falls to 0"),
  seconds: positive
    .optional()
    .describe("training time; 60 unless --windows is given, which then alone ends the training"),
  windows: count
    .optional()
    .describe(
      "ends after this many windows since the run began; with it, a run repeats itself, on as many cores",
    ),
  threads: z
    .union(
      [z.literal("auto"), count.max(64)],
      'expected "auto" or a whole number of threads from 1 to 64',
    )
    .default("auto")
    .describe("threads that each take some of the rows: all there are, where that is faster")
    .meta({ value: "auto|N", examples: ["auto"] }),
  shards: z
    .literal([1, 2, 4, 8])
    .optional()
    .describe(
      "adds up over the rows in so many parts: the same bits on 1, 2 or 4 threads or ranks",
    ),
  localUpdates: count
    .optional()
    .describe(
      "under mpiexec, each rank makes so many updates alone before all average, for slow links",
    ),
  outerLr: positive
    .default(0.7)
    .describe("with --local-updates, the learning rate of the step by the mean of all changes"),
  outerMomentum: z
    .number()
    .min(0)
    .lt(1)
    .default(0.5)
    .describe("with --local-updates, the Nesterov momentum of that step; 0 for none"),
  save: positive.default(10).describe("seconds between checkpoints"),
  resume: path
    .describe(
      "go on with the run in this folder; of its options --seconds, --windows, --threads, --save and --temperature can change",
    )
    .meta({ value: "RUN" }),
  temperature: positive.default(0.7).describe("temperature of the sample of a text at the end"),
  flow: z
    .boolean()
    .default(false)
    .describe("measure updates beside the weights, and show at the end how gradients flow"),
  csvMetrics: z
    .boolean()
    .default(false)
    .describe("also write metrics.csv, a row for each window, for spreadsheets and plotting"),
  printSchema: z.boolean().default(false).describe("print the JSON schema of these options"),
  ...runFlags,
});
