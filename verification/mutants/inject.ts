import { registerHooks } from "node:module";
import { fileURLToPath } from "node:url";
import { type Mutant, occurrences } from "./mutant.ts";

export const root: URL = new URL("../../", import.meta.url);

/**
 * From now on the mutant's file is loaded with the bug in it. Nothing is written to disk.
 *
 * @returns tells whether the file was loaded since
 */
export function inject(mutant: Mutant): () => boolean {
  let isLoaded = false;
  const target = fileURLToPath(new URL(mutant.file, root));
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.startsWith("file:") || fileURLToPath(url) !== target) return loaded;
      const source = String(
        typeof loaded.source === "string"
          ? loaded.source
          : Buffer.from(loaded.source as Uint8Array),
      );
      const found = occurrences(mutant, source);
      if (found !== 1) {
        throw new RangeError(
          `mutants: what "${mutant.name}" replaces occurs ${found} times in ${mutant.file}, expected once; bring the mutant up to date`,
        );
      }
      isLoaded = true;
      return {
        format: "module-typescript",
        source: source.replace(mutant.find, () => mutant.replace),
        shortCircuit: true,
      };
    },
  });
  return () => isLoaded;
}
