import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Outcome } from "./child.ts";
import type { Mutant } from "./mutant.ts";

/** The end of a trial: what its process printed, or how the process ended without printing. */
export type Ending =
  | Outcome
  | { readonly is: "timeout"; readonly what: string }
  | { readonly is: "crash"; readonly what: string };

/** A mutant with its ending. */
export interface Tried {
  readonly mutant: Mutant;
  readonly ending: Ending;
  readonly seconds: number;
}

/** How trials run. */
export interface TrialOptions {
  /** Seeds per law. */
  readonly runs: number;
  /** Seconds until a trial is given up. */
  readonly limit: number;
}

const child = fileURLToPath(new URL("child.ts", import.meta.url));

/** Runs the suite in a separate process, with a mutant or without. */
export function tryOne(mutant: Mutant | undefined, { runs, limit }: TrialOptions): Promise<Ending> {
  return new Promise((resolve) => {
    const args = ["--conditions=@chronograd/source", child, mutant?.name ?? "", String(runs)];
    const trial = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
    let stdout = "";
    let stderr = "";
    let isLate = false;
    trial.stdout.setEncoding("utf8").on("data", (text: string) => {
      stdout += text;
    });
    trial.stderr.setEncoding("utf8").on("data", (text: string) => {
      stderr = (stderr + text).slice(-2000);
    });
    const timer = setTimeout(() => {
      isLate = true;
      trial.kill("SIGKILL");
    }, 1000 * limit);
    trial.on("error", (error) => {
      clearTimeout(timer);
      resolve({ is: "crash", what: error.message });
    });
    trial.on("close", (code, signal) => {
      clearTimeout(timer);
      const said = stdout.trimEnd().split("\n").at(-1) ?? "";
      if (isLate) resolve({ is: "timeout", what: `no answer within ${limit} s` });
      else if (said.startsWith("{")) resolve(JSON.parse(said) as Outcome);
      else resolve({ is: "crash", what: `ended with ${signal ?? code}: ${stderr.trim()}` });
    });
  });
}

/** Tries all mutants, `jobs` at a time. */
export async function tryAll(
  mutants: readonly Mutant[],
  { jobs, ...options }: TrialOptions & { readonly jobs: number },
  after: (tried: Tried, done: number) => void,
): Promise<Tried[]> {
  const results = new Array<Tried>(mutants.length);
  let next = 0;
  let done = 0;
  const worker = async (): Promise<void> => {
    while (next < mutants.length) {
      const at = next++;
      const mutant = mutants[at]!;
      const begin = performance.now();
      const ending = await tryOne(mutant, options);
      const tried = { mutant, ending, seconds: (performance.now() - begin) / 1000 };
      results[at] = tried;
      after(tried, ++done);
    }
  };
  await Promise.all(Array.from({ length: Math.min(jobs, mutants.length) }, worker));
  return results;
}
