// Plants one bug in this process's copy of the library, and prints the report that it leads to:
// node child.ts <name>.
import { inject } from "../mutants/inject.ts";
import { plants } from "./plants.ts";

const name = process.argv[2] ?? "";
const plant = plants.find((each) => each.name === name);
if (plant === undefined) throw new RangeError(`plants: there is no plant "${name}"`);
if (plant.mutant !== undefined) inject(plant.mutant);
// Only now, so that the library is loaded with the bug in it.
const { scenarios } = await import("./scenarios.ts");
console.log(scenarios[name]!());
