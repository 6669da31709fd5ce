import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

/** Worst error, its bound (0: bit by bit), numbers compared. */
type Field = [worst: number | string, bound: number, cases: number];

interface Verification {
  readonly date: string;
  readonly node: string;
  readonly seed: number;
  readonly runs: number;
  readonly total: { subjects: number; laws: number; cases: number; broken: number };
  readonly laws: Record<string, Record<string, string>>;
  readonly subjects: { group: string; name: string; ok: boolean; laws: Record<string, Field> }[];
}

interface Group {
  readonly name: string;
  readonly laws: { name: string; statement: string }[];
  readonly rows: { name: string; fields: { text: string; title: string; ok: boolean }[] }[];
}

/** What the page shows. */
export interface Results {
  readonly date: string;
  readonly runs: number;
  readonly total: Verification["total"];
  readonly groups: Group[];
  readonly mutants: { killed: number; total: number; byLaw: [string, number][] } | undefined;
  readonly soak: { seeds: number; laws: number; cases: number; failures: number } | undefined;
}

declare const data: Results;

export { data };

const folder = new URL("../verification/results/", import.meta.url);

function read<T>(name: string): T | undefined {
  const file = fileURLToPath(new URL(name, folder));
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as T) : undefined;
}

function groupsOf({ subjects, laws }: Verification): Group[] {
  return [...new Set(subjects.map(({ group }) => group))].map((name) => {
    const mine = subjects.filter(({ group }) => group === name);
    const names = [...new Set(mine.flatMap((subject) => Object.keys(subject.laws)))];
    return {
      name,
      laws: names.map((law) => ({ name: law, statement: laws[name]?.[law] ?? "" })),
      rows: mine.map((subject) => ({
        name: subject.name,
        fields: names.map((law) => {
          const field = subject.laws[law];
          if (field === undefined) return { text: "", title: "", ok: true };
          const [worst, bound, cases] = field;
          const limit = bound === 0 ? "bit by bit" : `at most ${bound.toExponential(0)}`;
          return {
            text: worst === 0 ? "0" : Number(worst).toExponential(0),
            title: `worst ${worst}, ${limit}, ${cases.toLocaleString("en")} numbers`,
            ok: Number(worst) <= bound,
          };
        }),
      })),
    };
  });
}

export default {
  watch: ["../verification/results/*.json"],
  load(): Results {
    const verification = read<Verification>("verification.json");
    if (verification === undefined) {
      throw new Error("verification.data: there are no results; run npm run verify");
    }
    const mutants = read<{ killed: number; total: number; byLaw: Record<string, number> }>(
      "mutants.json",
    );
    const soak = read<{ seeds: number; laws: number; cases: number; failures: unknown[] }>(
      "soak.json",
    );
    return {
      date: verification.date,
      runs: verification.runs,
      total: verification.total,
      groups: groupsOf(verification),
      mutants: mutants && {
        killed: mutants.killed,
        total: mutants.total,
        byLaw: Object.entries(mutants.byLaw).sort((a, b) => b[1] - a[1]),
      },
      soak: soak && { ...soak, failures: soak.failures.length },
    };
  },
};
