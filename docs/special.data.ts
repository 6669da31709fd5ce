import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** A number as JSON has it: NaN, infinities and -0 as text. */
type Written = number | string;

interface Row {
  readonly op: string;
  readonly at: readonly Written[];
  readonly ours: readonly Written[];
  readonly torch: readonly Written[];
  readonly jax: readonly Written[];
  readonly reason?: string;
}

interface SpecialPoints {
  readonly torch: string;
  readonly jax: string;
  readonly rows: readonly Row[];
}

/** A value and its derivatives, as text; whether it differs from what the library has. */
interface Field {
  readonly text: string;
  readonly differs: boolean;
}

/** What the page shows: by op, a line for each point. */
export interface Results {
  readonly torch: string;
  readonly jax: string;
  readonly count: number;
  readonly different: number;
  readonly ops: readonly {
    readonly name: string;
    readonly lines: readonly {
      readonly at: string;
      readonly fields: readonly Field[];
      readonly reason: string;
    }[];
  }[];
}

declare const data: Results;

export { data };

const file = fileURLToPath(new URL("../verification/results/special.json", import.meta.url));

function short(x: Written): string {
  if (typeof x === "string") return x.replace("Infinity", "\u221e");
  return Number(x.toPrecision(6)).toString();
}

/** `value; derivative by each input`. */
function shown([value, ...derivatives]: readonly Written[]): string {
  return `${short(value!)}; ${derivatives.map(short).join(", ")}`;
}

export default {
  watch: [file],
  load(): Results {
    const { torch, jax, rows } = JSON.parse(readFileSync(file, "utf8")) as SpecialPoints;
    const lines = rows.map(({ op, at, ours, torch, jax, reason }) => {
      const texts = [ours, torch, jax].map(shown);
      return {
        op,
        at: at.map(short).join(", "),
        fields: texts.map((text) => ({
          text,
          differs: text.replaceAll("-0", "0") !== texts[0]!.replaceAll("-0", "0"),
        })),
        reason: reason ?? "",
      };
    });
    return {
      torch,
      jax,
      count: rows.length,
      different: rows.filter(({ reason }) => reason !== undefined).length,
      ops: [...new Set(lines.map(({ op }) => op))].map((name) => ({
        name,
        lines: lines.filter(({ op }) => op === name),
      })),
    };
  },
};
