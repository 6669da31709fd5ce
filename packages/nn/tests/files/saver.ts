// A process that saves checkpoints to one path, one after the other, until it is killed; or once.
import { tensor } from "@chronograd/autodiff";
import { saveCheckpoint } from "../../src/node.ts";

const [path, size = "1", times = "Infinity"] = process.argv.slice(2);
process.stdout.write("ready\n");
for (let n = 0; n < Number(times); n++) {
  try {
    const W = tensor(new Float32Array(Number(size)).fill(n));
    await saveCheckpoint(path!, { n, W });
  } catch (error) {
    process.stdout.write(`${(error as Error).message}\n`);
    break;
  }
}
