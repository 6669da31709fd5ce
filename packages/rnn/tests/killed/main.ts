// A process that trains; see training.ts.
import { selfCommunicator } from "@chronograd/nn";
import { runWorkers } from "@chronograd/nn/node";
import train, { type Given } from "./training.ts";

const given = JSON.parse(process.argv[2]!) as Given;
const module = new URL("./training.ts", import.meta.url);
if (given.workers === 1) await train(selfCommunicator, given);
else await runWorkers(module, { workers: given.workers, input: given });
