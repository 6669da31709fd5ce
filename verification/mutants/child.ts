// One trial, in a separate process: node child.ts [name of a mutant] [runs]. Prints what became of
// it as JSON.
import { mutants } from "./index.ts";
import { inject } from "./inject.ts";
import type { Broken } from "./trial.ts";

/** What a trial prints in its last line. */
export type Outcome =
  | { readonly is: "survived" }
  | { readonly is: "killed"; readonly by: Broken }
  | { readonly is: "does not run"; readonly what: string }
  | { readonly is: "out of date"; readonly what: string };

async function trial(name: string, runs: number): Promise<Outcome> {
  const mutant = mutants.find((each) => each.name === name);
  let isLoaded = () => true;
  if (name !== "") {
    if (mutant === undefined) return { is: "out of date", what: `there is no mutant "${name}"` };
    isLoaded = inject(mutant);
  }
  try {
    // Imported only now, so that the library is loaded with the bug in it.
    const { firstBroken } = await import("./trial.ts");
    const by = firstBroken(mutant, runs);
    if (by !== undefined) return { is: "killed", by };
    if (isLoaded()) return { is: "survived" };
    return { is: "out of date", what: `the suite does not load ${mutant?.file}` };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    return { is: what.startsWith("mutants: ") ? "out of date" : "does not run", what };
  }
}

const [name = "", runs = "2"] = process.argv.slice(2);
const outcome = await trial(name, Number(runs));
process.stdout.write(`\n${JSON.stringify(outcome)}\n`);
