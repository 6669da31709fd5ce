// Holds every subject to every law, prints the table, and writes it down for the reference site.
import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { createBackend, nativeBlas } from "@chronograd/autodiff";
import { referenceKernels } from "@chronograd/autodiff/reference";
import { holdAll, type Report } from "@chronograd/autodiff/testing";
import { wholeNumber } from "./flags.ts";
import type { Subject } from "./subject.ts";
import { opSubjects, subjects } from "./suite.ts";
import { table } from "./table.ts";

const { values: flags } = parseArgs({
  options: {
    runs: { type: "string", default: "3" },
    seed: { type: "string", default: "1" },
    only: { type: "string" },
    out: { type: "string", default: "verification/results/verification.json" },
  },
});
const runs = wholeNumber("verify", "runs", flags.runs, 1);
const seed = wholeNumber("verify", "seed", flags.seed);

/** Two digits; JSON has no infinity. */
function rounded(error: number): number | string {
  return Number.isFinite(error) ? Number(error.toPrecision(2)) : String(error);
}

/** Kernel sets that are not the default on this machine, or not for all sizes. */
const others = [
  "simd-plain",
  "reference",
  ...(nativeBlas().found ? (["blas"] as const) : []),
] as const;

/** Ops on these. */
function otherKernels(): Subject[] {
  return (["float64", "float32"] as const).flatMap((dtype) =>
    others.flatMap((kernels) => {
      const backend = createBackend({
        kernels: kernels === "reference" ? referenceKernels : kernels,
      });
      return opSubjects(dtype, backend).map((subject) => ({
        ...subject,
        group: `${subject.group}, ${kernels} kernels`,
      }));
    }),
  );
}

const wanted = [...subjects(), ...otherKernels()].filter(
  ({ name, group }) => flags.only === undefined || name === flags.only || group === flags.only,
);
if (wanted.length === 0) {
  const groups = [...new Set(subjects().map(({ group }) => group))].join(", ");
  console.error(`verify: nothing is called ${flags.only}; groups are ${groups}`);
  process.exit(2);
}

const started = performance.now();
const reports: { readonly group: string; readonly report: Report }[] = [];
let shown = "";
for (const [i, { name, group, laws }] of wanted.entries()) {
  if (process.stderr.isTTY)
    process.stderr.write(`\r\x1b[K${i + 1}/${wanted.length} ${group}: ${name}`);
  else if (group !== shown) console.error(`verify: ${group}`);
  shown = group;
  reports.push({ group, report: holdAll(name, laws, { seed, runs }) });
}
if (process.stderr.isTTY) process.stderr.write("\r\x1b[K");

for (const group of new Set(reports.map((row) => row.group))) {
  console.log(
    `\n${table(
      group,
      reports.filter((row) => row.group === group).map(({ report }) => report),
    )}`,
  );
}
const all = reports.flatMap(({ report }) => report.laws);
const broken = all.filter(({ ok }) => !ok).length;
const cases = all.reduce((n, law) => n + law.cases, 0);
const seconds = Math.round((performance.now() - started) / 1000);
for (const { report } of reports) if (!report.ok) console.log(`\n${report}`);
console.log(
  `\n${reports.length} subjects, ${all.length} laws, ${cases.toLocaleString("en")} numbers compared in ${seconds} s (seed ${seed}, ${runs} runs): ${broken === 0 ? "every law holds" : `${broken} broken`}`,
);

if (flags.only === undefined) {
  const result = {
    date: new Date().toISOString().slice(0, 10),
    node: process.version,
    seed,
    runs,
    total: { subjects: reports.length, laws: all.length, cases, broken },
    // By group: laws of one name may say different things of ops and of cells.
    laws: Object.fromEntries(
      Object.entries(Object.groupBy(reports, ({ group }) => group)).map(([group, rows = []]) => [
        group,
        Object.fromEntries(
          rows.flatMap(({ report }) =>
            report.laws.map(({ name, statement }) => [name, statement] as const),
          ),
        ),
      ]),
    ),
    // By law: worst error, its bound, numbers compared.
    subjects: reports.map(({ group, report }) => ({
      group,
      name: report.subject,
      ok: report.ok,
      laws: Object.fromEntries(
        report.laws.map(({ name, worst, bound, cases }) => [name, [rounded(worst), bound, cases]]),
      ),
    })),
  };
  writeFileSync(flags.out, `${JSON.stringify(result).replaceAll('{"group"', '\n{"group"')}\n`);
  console.log(`written to ${flags.out}`);
  await import("./special/make.ts");
}
process.exitCode = broken === 0 ? 0 : 1;
