import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Io, UsageError } from "chronograd/command";
import { listRuns, readCheckpoint } from "chronograd/run";
import { blank, network, type Params, spokenDigits } from "./model.ts";
import { readSpeech } from "./recordings.ts";
import { exampleOf } from "./utterances.ts";

/** Digits of a WAV file of any rate and width, by a run that is there. */
export async function listen(file: string, name: string | undefined, io: Io): Promise<void> {
  // A run that was stopped has no model.
  const runs = listRuns("runs").filter(
    ({ run, path }) => run.kind === "speech" && existsSync(join(path, "model.safetensors")),
  );
  const found = runs.findLast((each) => name === undefined || each.name === name);
  if (found === undefined) {
    throw new UsageError(
      `--listen needs a run of this example${name === undefined ? "" : ` named ${name}`} in runs/; train one with npm run example speech`,
    );
  }
  const samples = readSpeech(file);
  const { hidden, params } = await readCheckpoint<{ hidden: number; params: Params }>(
    found.path,
    "speech",
  );
  const [digits] = spokenDigits(network(hidden, blank + 1), params, [
    exampleOf({ digits: [], samples }),
  ]);
  io.say(digits!.length === 0 ? "no digit" : digits!.join(" "));
  io.result({ file, digits, run: found.path });
}
