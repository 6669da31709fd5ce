// Trains with plans on one thread and on two: the bits are the same, and the plan says how many
// ran.
import { tensor, tree } from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { initialParams, lstm, truncated } from "@chronograd/rnn";

/** Gradients of all windows, with turns of the event loop in between, and what the plan says. */
async function run(threads) {
  const random = rng(2);
  const draw = (columns) => {
    const data = Float32Array.from({ length: 16 * columns }, () => random.uniform() - 0.5);
    return tensor(data, { shape: [16, columns] });
  };
  const steps = Array.from({ length: 200 }, () => ({ input: draw(8), target: draw(64) }));
  const cell = lstm({ input: 8, hidden: 64 });
  const loss = (y, target) => y.sub(target).square().sum(1);
  const options = { k1: 10, k2: 10, compile: true, shards: 2, threads, loss };
  const gradients = [];
  let plan = "";
  for (const window of truncated(cell, initialParams(cell, rng(1)), steps, options)) {
    gradients.push(...tree.leaves(window.gradients).map((x) => [...x.toTypedArray()].join()));
    plan = window.explain();
    await new Promise((done) => setTimeout(done, 20));
  }
  return { gradients, plan };
}

/** On how many threads the second run was, and why; an error where the bits differ. */
export async function compareThreads() {
  try {
    const [one, two] = [await run(1), await run(2)];
    const isSame = one.gradients.every((bits, i) => bits === two.gradients[i]);
    return isSame
      ? { said: two.plan.replace(/^.*for each of 2 shards, /, "") }
      : { error: "two threads give other bits than one" };
  } catch (error) {
    return { error: String(error) };
  }
}
