import type { Report } from "@chronograd/autodiff/testing";

/** `1e-13` for a number; `=` where both sides were equal bit by bit. */
function short(worst: number): string {
  if (worst === 0) return "=";
  return Number.isFinite(worst) ? worst.toExponential(0) : "inf";
}

/**
 * Subjects down, laws across, the worst error in each field (`!` marks a broken law), and how many
 * numbers were compared.
 */
export function table(title: string, reports: readonly Report[]): string {
  const names = [...new Set(reports.flatMap(({ laws }) => laws.map(({ name }) => name)))];
  const rows = reports.map(({ subject, laws }) => {
    const fields = names.map((name) => {
      const law = laws.find((candidate) => candidate.name === name);
      if (law === undefined) return "";
      return `${law.ok ? "" : "!"}${short(law.worst)}`;
    });
    const cases = laws.reduce((n, law) => n + law.cases, 0);
    return [subject, ...fields, cases.toLocaleString("en")];
  });
  const head = [title, ...names, "numbers"];
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  const line = (row: readonly string[]) =>
    row
      .map((field, i) => (i === 0 ? field.padEnd(widths[i]!) : field.padStart(widths[i]!)))
      .join("  ");
  return [line(head), ...rows.map(line)].join("\n");
}
