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
/** A module whose only function reads beyond its memory: (i32.load (i32.const 0x7ffffff0)). */
const beyond =
  "0061736d010000000105016000017f030201000503010001070501016600000a0d010b0041f0ffffff0728020" +
  "00b";
const instance = new WebAssembly.Instance(new WebAssembly.Module(Buffer.from(beyond, "hex")));
try {
  (instance.exports.f as () => void)();
} catch (error) {
  // Where a library below MPI handles SIGSEGV, the process is gone instead.
  if (!(error instanceof WebAssembly.RuntimeError)) faults.push([String(error)]);
}
writeFileSync(join(folder, String(launcher.rank)), JSON.stringify(faults.flat()));
const last = new MpiTransport(library, 64, patience);
last.allGather(8, "the end");
library.call.Abort(library.abi.world, 0);
