import { fileURLToPath } from "node:url";
import { lossCurve } from "../figures/lossCurve.ts";
import { programOf } from "../figures/programs.ts";

/** What the program of the page printed. */
interface Run {
  readonly svg: string;
  readonly first: string;
  readonly last: string;
  readonly right: number;
}

declare const data: Run;

export { data };

export default {
  watch: [fileURLToPath(new URL("training.md", import.meta.url))],
  async load(): Promise<Run> {
    const found = await programOf("guide/training.md", ["losses", "right"]);
    const { losses, right } = found as { readonly losses: number[]; readonly right: number };
    return {
      svg: lossCurve(losses),
      first: losses[0]!.toFixed(2),
      last: losses.at(-1)!.toFixed(3),
      right,
    };
  },
};
