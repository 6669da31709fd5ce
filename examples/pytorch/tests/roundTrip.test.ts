import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Tensor, tensor } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  chain,
  clipByGlobalNorm,
  crossEntropy,
  embedding,
  linear,
} from "@chronograd/nn";
import { readSafetensors, writeSafetensors } from "@chronograd/nn/node";
import { tensorsOf } from "@chronograd/nn/safetensors";
import { lstm, sequential, stacked, truncated, unroll, type Values } from "@chronograd/rnn";
import { fromPyTorch, toPyTorch } from "@chronograd/rnn/pytorch";
import { expect, test } from "vitest";

const model = sequential({
  embedding: embedding({ input: 2, output: 4 }),
  lstm: stacked([lstm({ input: 4, hidden: 8 }), lstm({ input: 8, hidden: 8 })]),
  head: linear({ input: 8, output: 2 }),
});
type Params = Values<typeof model.params>;

const symbols = [...Array.from({ length: 10 }, () => [0, 0, 1, 0, 1, 1]).flat(), 0];
const at = (t: number) => tensor([symbols[t]!], { dtype: "int32" });
const loss = (y: Tensor, target: Tensor) => crossEntropy(y, target);

function lossOf(params: Params): number {
  const { outputs } = unroll(
    model,
    params,
    symbols.slice(0, -1).map((_, t) => at(t)),
  );
  return loss(outputs.reshape([60, 2]), tensor(symbols.slice(1), { dtype: "int32" })).item();
}

function trained(params: Params, passes: number): Params {
  const optimizer = chain({ clip: clipByGlobalNorm(1), adam: adam({ learningRate: 1e-2 }) });
  let [own, state] = [params, optimizer.init(params)];
  const steps = Array.from({ length: 60 }, (_, t) => ({ input: at(t), target: at(t + 1) }));
  for (let pass = 0; pass < passes; pass++) {
    for (const window of truncated(model, own, steps, { k1: 20, k2: 40, loss })) {
      const [updates, next] = optimizer.update(window.gradients, state, own);
      [own, state] = [applyUpdates(own, updates), next];
    }
  }
  return own;
}

test("the committed model has the loss that PyTorch wrote into it", async () => {
  const file = await readSafetensors("examples/pytorch/model.safetensors");
  const params = fromPyTorch(tensorsOf(file), model);
  expect(Math.abs(lossOf(params) - Number(file.metadata.loss))).toBeLessThan(1e-6);
});

const python = process.env.CHRONOGRAD_PYTHON ?? "python3";
const probe = spawnSync(python, [
  "-c",
  "import torch, safetensors.torch; print(torch.__version__)",
]);
const version = probe.status === 0 ? String(probe.stdout).trim() : undefined;
if (version === undefined) {
  console.warn(
    `skipped: the round trip with PyTorch, because ${python} has no torch and safetensors; set CHRONOGRAD_PYTHON to a Python that has`,
  );
}

test.skipIf(version === undefined)(
  "trained by PyTorch, continued here, and by PyTorch again",
  { timeout: 300_000 },
  async () => {
    const folder = mkdtempSync(join(tmpdir(), "chronograd-pytorch-"));
    try {
      const run = (script: string, path: string) =>
        String(execFileSync(python, ["-B", `examples/pytorch/src/${script}`, path]));
      const [there, here] = ["there", "here"].map((name) => join(folder, `${name}.safetensors`));
      run("train.py", there!);
      const file = await readSafetensors(there!);
      const first = fromPyTorch(tensorsOf(file), model);
      const before = lossOf(first);
      expect(Math.abs(before - Number(file.metadata.loss))).toBeLessThan(1e-6);

      const params = trained(first, 10);
      const after = lossOf(params);
      expect(after).toBeLessThan(before);
      await writeSafetensors(here!, toPyTorch(params, model));
      const [read, resumed] = run("resume.py", here!).trim().split("\n").map(Number);
      expect(Math.abs(read! - after)).toBeLessThan(1e-6);
      expect(resumed!).toBeLessThan(after);
    } finally {
      rmSync(folder, { recursive: true });
    }
  },
);
