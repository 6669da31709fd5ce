// Plants ten bugs, one at a time, and shows that the report of each blames the right op and step.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type Plant, plants } from "./plants.ts";

/** The report that a planted bug leads to, with paths as seen from the root. */
export function reportOf({ name }: Plant): string {
  const child = fileURLToPath(new URL("child.ts", import.meta.url));
  const root = fileURLToPath(new URL("../../", import.meta.url));
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ["--conditions=@chronograd/source", child, name],
    { encoding: "utf8", cwd: root },
  );
  if (status !== 0) throw new Error(`plants: "${name}" ended with ${status}\n${stderr}`);
  return stdout.trimEnd().replaceAll(root, "");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const parts = ["# Ten planted bugs, and what the reports say", ""];
  let blamed = 0;
  for (const plant of plants) {
    const report = reportOf(plant);
    const missing = plant.expect.filter((words) => !words.test(report));
    if (missing.length === 0) blamed++;
    const verdict =
      missing.length === 0 ? "blamed" : `NOT BLAMED, without ${missing.join(" and ")}`;
    console.log(`${plant.name}: ${plant.bug}\n${report}\n=> ${verdict}\n`);
    parts.push(`## ${plant.name}`, "", `${plant.bug}.`, "", "```", report, "```", "");
  }
  console.log(`${blamed} of ${plants.length} bugs blamed on the right op and step`);
  writeFileSync(new URL("../results/plants.md", import.meta.url), parts.join("\n"));
  process.exitCode = blamed === plants.length ? 0 : 1;
}
