import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeOutput } from "../command/writeOutput.ts";
import { page } from "../report.ts";
import type { Looked } from "./look.ts";

/** The name of the page in a run folder. */
export const flowPage = "flow.html";

const link = `<p><a href="${flowPage}">How gradients flow in this model</a></p>`;

/**
 * Writes what instruments have found into a run folder, and links it from the report of the run.
 */
export async function writeFlowPage(
  folder: string,
  { found, refused }: Looked,
  { title, facts }: { readonly title: string; readonly facts: readonly string[] },
): Promise<string> {
  const all = [...found.values()];
  const missing = [...refused].map(([name, why]) => `${name} shows nothing: ${why}`);
  const path = join(folder, flowPage);
  const html = page({
    title,
    facts: [...facts, ...all.flatMap(({ lines }) => lines), ...missing],
    sections: all.flatMap(({ sections }) => sections),
  });
  await writeOutput(path, html);
  const report = join(folder, "report.html");
  const text = existsSync(report) ? readFileSync(report, "utf8") : link;
  if (!text.includes(link)) await writeOutput(report, text.replace("</ul>", `</ul>\n${link}`));
  return path;
}
