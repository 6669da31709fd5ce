// Forecasts of two series, with intervals: a recurrent network corrects an autoregression, and
// conformal prediction says how wide its intervals have to be. See README.md.
import { rng } from "@chronograd/nn";
import { mpi } from "@chronograd/nn/node";
import { defineCommand, runCommand, runFlags } from "chronograd/command";
import { bands, type Comparison, compare } from "chronograd/forecast";
import { figure, page } from "chronograd/report";
import * as z from "zod";
import { runOfFirst } from "../../ranks.ts";
import { smokeTasks, type Task, vegaTasks } from "./series.ts";

const options = z.object({
  ...runFlags,
  smoke: z.boolean().default(false).describe("a small run on a wave made by code"),
  data: z.string().optional().describe("folder of the CSV files").meta({ value: "DIR" }),
  members: z.int().min(1).default(5).describe("networks whose forecasts are averaged"),
  epochs: z.int().min(1).default(20).describe("times through the training windows"),
});
const levels = [0.95, 0.8];

// Alone, or under mpiexec with others, which share each batch.
const communicator = mpi();

const command = defineCommand({
  name: "forecasting",
  summary: "Forecasts the weather of Seattle and the carbon dioxide of Mauna Loa.",
  options,
  examples: ["npm run example forecasting", "npm run example forecasting -- --seed 2"],
  async run(given, io) {
    const began = performance.now();
    const { seed, smoke } = given;
    const tasks = smoke ? smokeTasks(rng(seed, "smoke")) : await vegaTasks(given.data);
    const { members, epochs } = smoke ? { members: 1, epochs: 2 } : given;
    if (smoke) io.say("Smoke mode: a wave made by code stands in for the files.");
    const run = await runOfFirst(communicator, { ...given, kind: "forecasting", options: given });
    const sections = [];
    const figures = [];
    for (const task of tasks) {
      const { title, column, unit, series, ...split } = task;
      const { horizon } = split;
      const progress = io.progress({ total: 2 * members * epochs, unit: "epochs" });
      // Everything is fitted to the years before `test`, and scored from every origin after it.
      const comparison = compare(series.values[column]!, {
        ...{ ...split, levels, seed, members, epochs, communicator },
        onEpoch(done, _total, loss) {
          progress.update(done, `${column}, loss ${loss.toFixed(3)}`);
          run?.log({ task: column, epoch: done, loss });
          return false;
        },
      });
      progress.stop();
      if (run === undefined) continue;
      const { recurrent, baselines, intervals, seconds } = comparison;
      io.say(`${title}, 1 to ${horizon} steps ahead, RMSE in ${unit}:`);
      for (const { name, rmse } of [recurrent, ...baselines]) {
        io.say(`  ${name.padEnd(30)} ${rmse.toFixed(3)}`);
      }
      const held = intervals.map(
        ({ level, coverage }) => `${100 * level} % intervals hold ${(100 * coverage).toFixed(1)} %`,
      );
      io.say(`  ${held.join(", ")}`);
      const html = figure(pictureOf(task, comparison));
      await run.write(`${column}.svg`, html);
      sections.push({ heading: title, note: `${held.join(", ")} of the held-out values.`, html });
      figures.push(
        {
          ...{ what: `RMSE of ${column}, 1 to ${horizon} steps`, unit, better: "lower" },
          value: recurrent.rmse,
          seconds,
          baselines: Object.fromEntries(baselines.map(({ name, rmse }) => [name, rmse])),
        },
        ...intervals.map(({ level, coverage }) => ({
          ...{ what: `${column}: distance of coverage from ${100 * level} %`, unit: "points" },
          ...{ value: 100 * Math.abs(coverage - level), better: "lower", baselines: {} },
        })),
      );
    }
    if (run === undefined) return;
    const facts = [`seed ${seed}`, `${members} networks, ${epochs} epochs each`];
    await run.write("report.html", page({ title: "Forecasts with intervals", facts, sections }));
    run.close();
    io.say(`Report and pictures are in ${run.path}.`);
    const seconds = (performance.now() - began) / 1000;
    io.result({ example: "forecasting", figures, seconds, seed });
  },
});

/** Held-out values, and forecasts of them from origins that are one horizon apart. */
function pictureOf({ series, column, unit, horizon, test }: Task, comparison: Comparison) {
  const { times, values } = series;
  const { forecasts, intervals } = comparison;
  const last = Math.min(test + 13 * horizon, times.length);
  const points = Array.from(times.subarray(test - horizon, last), (time, i) => ({
    ...{ time, value: values[column]![test - horizon + i]! },
  }));
  const shown = forecasts
    .map((forecast, i) => ({ ...forecast, i }))
    .filter(({ origin, i }) => i % horizon === 0 && origin + horizon <= last)
    .flatMap(({ origin, mean, i }) =>
      Array.from(mean, (x, h) => ({
        ...{ time: times[origin + h]!, mean: x, origin },
        intervals: intervals.map(({ level, intervals: all }) => ({
          ...{ level, lower: all[i]!.lower[h]!, upper: all[i]!.upper[h]! },
        })),
      })),
    );
  return bands({ points, forecasts: shown, label: `${column} in ${unit}` });
}

process.exitCode = await runCommand(command, process.argv.slice(2), { communicator });
