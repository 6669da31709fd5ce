import { existsSync } from "node:fs";
import { join } from "node:path";
import { UsageError } from "../command/errors.ts";

/** The checkpoint of a run folder. */
export const modelFile = (folder: string): string => join(folder, "model.safetensors");

/**
 * What is loaded from the checkpoint of a run folder, or, where that is damaged or missing, from
 * the one before it, which is told to `say`.
 *
 * Throws a `UsageError` where neither can be loaded, and for a whole one of another model.
 */
export async function fromCheckpoint<T>(
  folder: string,
  load: (file: string) => Promise<T>,
  say: (line: string) => void,
): Promise<{ readonly loaded: T; readonly file: string }> {
  const file = modelFile(folder);
  const previous = `${file}.previous`;
  const isThere = existsSync(file);
  if (!isThere && !existsSync(previous)) {
    throw new UsageError(
      `${folder} has no model.safetensors: the run ended before it saved a checkpoint; train again`,
    );
  }
  // The sentence of a loader begins with its name.
  const refused = (error: unknown) =>
    new UsageError(`${folder}: ${(error as Error).message.replace(/^\w+: /, "")}`);
  let damage: unknown;
  try {
    return { loaded: await load(file), file };
  } catch (error) {
    if (error instanceof TypeError) throw refused(error);
    damage = error;
  }
  let loaded: T;
  try {
    loaded = await load(previous);
  } catch (error) {
    throw refused(isThere ? damage : error);
  }
  say(
    `${file} is ${isThere ? "damaged" : "missing"}; the checkpoint before it is taken, model.safetensors.previous`,
  );
  return { loaded, file: previous };
}
