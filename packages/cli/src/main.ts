#!/usr/bin/env node
import { readFileSync } from "node:fs";
import { runProgram } from "./command/run.ts";
import { commandsFor } from "./commands/index.ts";

const manifest = readFileSync(new URL("../package.json", import.meta.url), "utf8");
const { version } = JSON.parse(manifest) as { version: string };
const words = process.argv.slice(2);
process.exitCode = await runProgram(
  { name: "chronograd", summary: "Trains, checks and inspects recurrent networks.", version },
  await commandsFor(words),
  words,
);
