import { spawnSync } from "node:child_process";

/** What runs a program, or why nothing can. */
export type Found = { readonly command: readonly string[] } | { readonly missing: string };

const windows = process.platform === "win32";

/**
 * Runs a command to its end. Returns the last line of its error output, or nothing if it succeeded.
 */
export function run(command: string, args: readonly string[], cwd?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    maxBuffer: 1 << 28,
    shell: windows && command === "npm",
  });
  if (status === 0) return "";
  const lines = `${stdout ?? ""}\n${stderr ?? ""}`.trim().split("\n");
  return error?.message ?? lines.at(-1) ?? "without a word";
}
