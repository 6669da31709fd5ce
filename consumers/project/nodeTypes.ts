// The entry point that needs Node's types, in a program without a browser's.
import { type Tensor, tensor } from "@chronograd/autodiff";
import { runWorkers, writeSafetensors } from "@chronograd/nn/node";

const written: Promise<void> = writeSafetensors("a.safetensors", { W: tensor([1]) });
const sums: Promise<Tensor[]> = runWorkers<Tensor, Tensor>(new URL("file:///a.js"), {
  workers: 2,
  input: tensor([1]),
});

export { sums, written };
