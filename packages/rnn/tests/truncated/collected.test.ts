import { setTimeout } from "node:timers/promises";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { type Backend, createBackend, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { applyUpdates, rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { initialParams, lstm, type TimeStep, truncated } from "../../src/index.ts";
import { modes } from "./setup.ts";

setFlagsFromString("--expose-gc");
const collect = runInNewContext("gc") as () => void;

/** Collects until `enough`, or until that does not come. */
async function collectUntil(enough: () => boolean): Promise<void> {
  for (let i = 0; i < 50 && !enough(); i++) {
    collect();
    await setTimeout(1);
  }
}

function open(backend: Backend, stale: (typeof modes)[number], compile = false) {
  const cell = lstm({ input: 2, hidden: 8 });
  const params = initialParams(cell, rng(1), { backend });
  function* steps(): Generator<TimeStep> {
    for (let t = 0; t < 40; t++) {
      yield { input: tensor([[t, 1]], { backend }), target: tensor([[0.5]], { backend }) };
    }
  }
  const loss = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();
  return truncated(cell, params, steps(), { k1: 2, k2: 4, stale, compile, loss });
}

const cases = modes.flatMap((stale) => [
  { stale, windows: 0, compile: false },
  { stale, windows: 1, compile: false },
  { stale, windows: 3, compile: false },
  { stale, windows: 3, compile: true },
]);

test.each(cases)(
  "a stream that is dropped after $windows windows returns everything ($stale, compile $compile)",
  async ({ stale, windows, compile }) => {
    const backend = createBackend();
    const empty = backend.memory.bytesInUse;
    const used = () => backend.memory.bytesInUse - empty;
    const drop = (on: Backend) => {
      const all = open(on, stale, compile);
      for (let i = 0; i < windows; i++) all.next();
    };
    // V8 holds on to what the first call of a function made.
    drop(createBackend());
    drop(backend);
    if (windows === 1) expect(used()).toBeGreaterThan(0);
    await collectUntil(() => used() === 0);
    expect(used()).toBe(0);
  },
);

/** Apart, so that nothing of it stays in the registers of a test that waits. */
function opened(
  backend: Backend,
  stale: (typeof modes)[number],
  keep: (all: ReturnType<typeof open>) => () => unknown,
): { use?: () => unknown } {
  return { use: keep(open(backend, stale)) };
}

const keeps: Record<string, (all: ReturnType<typeof open>) => () => unknown> = {
  window: (all) => {
    const { value } = all.next();
    return () => value!.gradients.W.sum().item() + value!.state.h.sum().item();
  },
  gradient: (all) => {
    const { W } = all.next().value!.gradients;
    return () => W.sum().item();
  },
  state: (all) => {
    const { h } = all.next().value!.state;
    return () => h.sum().item();
  },
};

test.each(Object.entries(keeps))(
  "the stream lasts as long as its last %s is held",
  async (_what, keep) => {
    for (const stale of modes) {
      const backend = createBackend();
      const empty = backend.memory.bytesInUse;
      const used = () => backend.memory.bytesInUse - empty;
      const held = opened(backend, stale, keep);
      const before = held.use!();
      for (let i = 0; i < 5; i++) {
        collect();
        await setTimeout(1);
      }
      expect(held.use!()).toBe(before);
      delete held.use;
      await collectUntil(() => used() === 0);
      expect(used()).toBe(0);
    }
  },
);

test("a stream that was run to its end, or left, is not ended again", async () => {
  const backend = createBackend();
  const all = open(backend, "carry");
  Array.from(all);
  const left = open(backend, "carry");
  left.next();
  left.return();
  collect();
  await setTimeout(1);
  expect(left.next().done).toBe(true);
  expect(all.next().done).toBe(true);
});

test("plans, which stay with the cell, do not keep parameters", async () => {
  const backend = createBackend();
  const cell = lstm({ input: 2, hidden: 8 });
  const loss = (y: Tensor, target: Tensor): Tensor => y.sub(target).square();
  const run = (): WeakRef<object> => {
    let params = initialParams(cell, rng(1), { backend });
    const steps = Array.from({ length: 12 }, (_, t) => ({
      input: tensor([[t, 1]], { backend }),
      target: tensor([[0.5]], { backend }),
    }));
    for (const { gradients } of truncated(cell, params, steps, {
      k1: 4,
      k2: 4,
      compile: true,
      loss,
    })) {
      params = applyUpdates(
        params,
        tree.map(gradients, (g: Tensor) => g.mul(-0.1)),
      );
    }
    return new WeakRef(tree.leaves(params)[0]!);
  };
  const last = run();
  // What was looked at is kept until the next turn.
  let isGone = false;
  for (let i = 0; i < 50 && !isGone; i++) {
    await setTimeout(1);
    collect();
    isGone = last.deref() === undefined;
  }
  expect(isGone).toBe(true);
  expect([cell, loss]).toHaveLength(2);
});
