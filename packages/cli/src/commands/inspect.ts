import { existsSync, statSync } from "node:fs";
import { readSafetensors } from "@chronograd/nn/node";
import type { Decoded } from "@chronograd/nn/safetensors";
import * as z from "zod";
import { type Command, defineCommand } from "../command/define.ts";
import { RunError, UsageError } from "../command/errors.ts";
import { describeTensors } from "../inspect/describe.ts";
import { tableOf } from "../inspect/table.ts";
import { readRun } from "../run/description.ts";
import { fromCheckpoint } from "../run/modelFile.ts";

/** The tensors of a file. */
async function read(file: string): Promise<Decoded> {
  return await readSafetensors(file).catch((error: Error) => {
    throw new UsageError(
      error.message.replace(/^(readSafetensors: )+/, "").replace("decodeSafetensors: ", ""),
    );
  });
}

/** Shows what a file of tensors holds. */
export const inspect: Command = defineCommand({
  name: "inspect",
  summary: "Shows the tensors of a safetensors file or a run: shapes, norms, what is not finite.",
  positionals: [
    { name: "file", description: "a safetensors file, or a run folder", required: true },
  ],
  options: z.object({
    file: z.string(),
    match: z.string().optional().describe("only tensors whose name has this text"),
    strict: z.boolean().default(false).describe("exit code 1 where a number is not finite"),
  }),
  examples: [
    "chronograd inspect model.safetensors",
    "chronograd inspect runs/train-1 --match params",
    "chronograd inspect model.safetensors --strict --json",
  ],
  async run({ file: given, match = "", strict }, io) {
    const isRun = existsSync(given) && statSync(given).isDirectory();
    if (isRun) readRun(given);
    const { loaded: decoded, file } = isRun
      ? await fromCheckpoint(given, read, io.say)
      : { loaded: await read(given), file: given };
    const tensors = describeTensors(decoded).filter(({ name }) => name.includes(match));
    const { metadata } = decoded;
    const bytes = statSync(file).size;
    io.result({ file, bytes, tensors, metadata });
    if (tensors.length === 0 && match !== "") {
      const names = decoded.names.slice(0, 5).join(", ");
      throw new UsageError(
        `--match: no tensor of ${file} has ${JSON.stringify(match)} in its name; there are ${names}${decoded.names.length > 5 ? ", ..." : ""}`,
      );
    }
    // Of a run, what the model is; the state of its optimizer and stream can be asked for.
    const isShown = ({ name }: { readonly name: string }) =>
      !isRun || match !== "" || name.startsWith("params.");
    const shown = tensors.filter(isShown);
    for (const line of tableOf({ file, bytes, tensors: shown, metadata })) io.say(line);
    if (shown.length < tensors.length) {
      const others = [
        ...new Set(tensors.filter((each) => !isShown(each)).map(({ name }) => name.split(".")[0])),
      ];
      io.say(
        `and ${tensors.length - shown.length} more, of ${others.join(" and ")}: --match shows them`,
      );
    }
    const odd = tensors.reduce((sum, { nonFinite = 0 }) => sum + nonFinite, 0);
    if (strict && odd > 0) {
      throw new RunError(`${file}: ${odd} ${odd === 1 ? "number is" : "numbers are"} not finite`);
    }
  },
});
