// One rank of the conformance program over MPI: node conform.ts FOLDER SEED SIZE...
// It writes to the folder what is wrong, for messages of each size.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { launcherOf } from "../../../src/parallel/mpi/launcher.ts";
import { initialized, patienceOf } from "../../../src/parallel/mpi/mpi.ts";
import { MpiTransport } from "../../../src/parallel/mpi/mpiTransport.ts";
import { conformance } from "../conformance.ts";

const [folder = "", seed, ...sizes] = process.argv.slice(2);
const launcher = launcherOf(process.env)!;
const library = initialized(launcher, process.env.CHRONOGRAD_MPI);
const patience = patienceOf(launcher, library);
// One communicator for each, so what a rank that is gone leaves open does not disturb the next.
const faults = sizes.map((size) => {
  const transport = new MpiTransport(library, Number(size), patience);
  return conformance({ transport, leave: () => transport.leave() }, Number(seed));
});
writeFileSync(join(folder, String(launcher.rank)), JSON.stringify(faults.flat()));
const last = new MpiTransport(library, 64, patience);
last.allGather(8, "the end");
library.call.Abort(library.abi.world, 0);
