import { type Tensor, tensor } from "@chronograd/autodiff";
import { rmse } from "@chronograd/nn/metrics";
import type { TimeStep } from "@chronograd/rnn";
import * as Plot from "@observablehq/plot";
import { short } from "../../command/short.ts";
import { figure, type Section } from "../../report.ts";
import { heldOutLoss } from "../../training/evaluate.ts";
import type {
  Evaluation,
  Figure,
  HeldOut,
  Interface,
  Stretch,
  Task,
  Trained,
} from "../../training/task.ts";
import { lanes, lanesOnce } from "../lanes.ts";
import { loadSeries, type Scaling, type Series, type SeriesOptions } from "./table.ts";

/** What the task of a CSV file is made of. */
export interface CsvOptions extends SeriesOptions {
  readonly batch: number;
}

/** What a run on a CSV file keeps for those who use its model. */
export interface CsvKept extends Scaling {
  readonly task: "csv";
}

const loss = (output: Tensor, target: Tensor) => output.sub(target).square();

/**
 * The next row of a CSV file is predicted: how each column changes, in standard deviations of the
 * column.
 */
export async function csvTask(options: CsvOptions, kept?: CsvKept): Promise<Task> {
  const series = await loadSeries(options, kept);
  const { file, columns, others, length, training, means, deviations, digest } = series;
  const rows = Math.min(options.batch, training >> 1);
  const heldOut = { items: () => wholly(series), burnIn: training - 1 };
  return {
    title: file,
    description: `${file}: ${length.toLocaleString("en")} rows, of which the last ${(length - training).toLocaleString("en")} are held out; ${columns.join(", ")}${others.length > 0 ? ` (left out: ${others.join(", ")})` : ""}`,
    digest,
    interface: csvInterface(columns),
    hidden: 32,
    unit: "squared standard deviations",
    tokens: "values",
    stream: (position) => read(series, rows, position),
    loss,
    estimate: heldOut,
    heldOut: (size) => heldOutAt(series, size),
    kept: { task: "csv", columns, means, deviations } satisfies CsvKept,
    evaluate: (trained) => evaluate(series, trained, heldOut),
  };
}

/** What a model of columns reads and puts out. */
export function csvInterface({ length }: readonly string[]): Interface {
  return { input: { size: length }, output: length };
}

/** The time steps of a series that is read at `rows` places at once, without end. */
function* read(series: Series, rows: number, position: number): Generator<TimeStep> {
  for (const at of lanes(series.training, rows, position)) yield stepAt(series, at);
}

/** The held-out time steps of a series, once. */
function* heldOutAt(series: Series, size: Stretch): Generator<TimeStep> {
  const first = series.training - 1;
  for (const at of lanesOnce(series.length - first, size)) {
    yield stepAt(
      series,
      at.map((i) => first + i),
    );
  }
}

/** A time step of a series with a row for each place. */
function stepAt({ columns, row, change }: Series, at: readonly number[]): TimeStep {
  const shape = [at.length, columns.length];
  const stack = (of: (i: number) => Float32Array) =>
    tensor(Float32Array.from(at.flatMap((i) => [...of(i)])), { shape });
  return { input: stack(row), target: stack(change) };
}

/** The time steps of a whole series, one row a step. */
function* wholly({ length, columns, row, change }: Series): Generator<TimeStep> {
  const shape = [1, columns.length];
  for (let i = 0; i + 1 < length; i++) {
    yield { input: tensor(row(i), { shape }), target: tensor(change(i), { shape }) };
  }
}

/** The error of each column in its own unit, beside that of its last value. */
function evaluate(series: Series, trained: Trained, heldOut: HeldOut): Evaluation {
  const { columns, training, length, means, deviations, row, change } = series;
  const predicted: Float32Array[] = [];
  const { loss: mean } = heldOutLoss(trained, heldOut, loss, (y) => {
    predicted.push(Float32Array.from(y.toTypedArray()));
  });
  const at = Array.from({ length: length - training }, (_, i) => training - 1 + i);
  const lines: string[] = [];
  const sections: Section[] = [];
  const figures: Figure[] = columns.map((name, c) => {
    const inUnits = (value: number) => value * deviations[c]! + means[c]!;
    const before = at.map((i) => inUnits(row(i)[c]!));
    const truth = at.map((i, k) => before[k]! + change(i)[c]! * deviations[c]!);
    const ours = before.map((value, k) => value + predicted[k]![c]! * deviations[c]!);
    const [error, last] = [rmse(ours, truth), rmse(before, truth)];
    lines.push(
      `${name}: root mean squared error ${short(error)}; of repeating the last value ${short(last)}`,
    );
    sections.push({
      heading: `${name}, one row ahead`,
      note: "The end of the held-out rows. Grey: what came. Blue: what was predicted of it one row before.",
      html: aheadFigure(name, truth, ours),
    });
    return {
      what: `held-out error of ${name}, one row ahead`,
      unit: "root mean squared error",
      value: error,
      better: "lower",
      baselines: { "last value": last },
    };
  });
  return { loss: mean, figures, lines, sections };
}

/** The last predictions beside what came. */
function aheadFigure(name: string, truth: readonly number[], ours: readonly number[]): string {
  const from = Math.max(0, truth.length - 200);
  const points = (values: readonly number[]) =>
    values.slice(from).map((y, i) => ({ row: from + i + 1, y }));
  return figure({
    x: { label: "held-out row" },
    y: { label: name, grid: true },
    marks: [
      Plot.line(points(truth), { x: "row", y: "y", stroke: "#78716c", strokeWidth: 2 }),
      Plot.line(points(ours), { x: "row", y: "y", stroke: "#1f5a99", strokeWidth: 1.5 }),
    ],
  });
}
