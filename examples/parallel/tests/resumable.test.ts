import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Tensor, tree } from "@chronograd/autodiff";
import { runWorkers } from "@chronograd/nn/node";
import { expect, test } from "vitest";

const module = new URL("../src/resumable.ts", import.meta.url);

interface Done {
  readonly losses: readonly number[];
  readonly params: unknown;
}

test.each([1, 2, 3])(
  "%i workers go on where they stopped, bit for bit",
  async (workers) => {
    const folder = await mkdtemp(join(tmpdir(), "chronograd-"));
    const run = (name: string, windows: number) =>
      runWorkers<Done>(module, { workers, input: { path: join(folder, name), windows } });
    try {
      const whole = await run("whole", 25);
      const parts = [await run("parts", 7), await run("parts", 25)];
      for (let rank = 0; rank < workers; rank++) {
        const [first, second] = parts.map((part) => part[rank]!);
        expect([...first!.losses, ...second!.losses]).toEqual(whole[rank]!.losses);
        const bits = ({ params }: Done) => tree.map(params, (x: Tensor) => [...x.toTypedArray()]);
        expect(bits(second!)).toEqual(bits(whole[rank]!));
      }
    } finally {
      await rm(folder, { recursive: true });
    }
  },
  60_000,
);
