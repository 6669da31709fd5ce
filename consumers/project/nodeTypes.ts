// The entry point that needs Node's types, in a program without a browser's.
import { type Tensor, tensor } from "@chronograd/autodiff";
import { loadCheckpoint, runWorkers, saveCheckpoint, writeSafetensors } from "@chronograd/nn/node";

const written: Promise<void> = writeSafetensors("a.safetensors", { W: tensor([1]) });
const saved: Promise<void> = saveCheckpoint("a", { W: tensor([1]), step: 3 }, { model: "a" });
const loaded: Promise<{ W: Tensor }> = loadCheckpoint("a", { like: { W: tensor([1]) } });
const sums: Promise<Tensor[]> = runWorkers<Tensor, Tensor>(new URL("file:///a.js"), {
  workers: 2,
  input: tensor([1]),
});

export { loaded, saved, sums, written };
