import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** What one program weighs in a browser, in bytes. */
interface Size {
  readonly what: string;
  readonly minified: number;
  readonly gzip: number;
  readonly limit?: number;
}

declare const data: readonly Size[];

export { data };

const file = fileURLToPath(new URL("../bench/results/sizes.json", import.meta.url));

export default {
  watch: [file],
  load(): readonly Size[] {
    return JSON.parse(readFileSync(file, "utf8")) as Size[];
  },
};
