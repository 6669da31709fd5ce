// What the workers of live.test.ts do: train on their rows, stop, and go on.
import { applyUpdates, type Communicator, gather, sgd } from "@chronograd/nn";
import { shard } from "@chronograd/nn/parallel";
import { type LiveWindow, truncated } from "../../src/index.ts";
import { filed } from "./interrupted.ts";
import { type AnyParams, numbers, problem } from "./setup.ts";

export default (communicator: Communicator) => {
  const { rank } = communicator;
  const optimizer = sgd({ learningRate: 0.05 });
  const { cell, params: first, steps, loss } = problem("lstm", 12, 1, 4);
  const own = steps.map((step) => shard(step, communicator));
  /** The gradients of the windows from the live one on, and each window's tree. */
  const run = (params: AnyParams, resume?: LiveWindow) => {
    let present = filed(params);
    let state = optimizer.init(present);
    const seen: { gradients: unknown; live: LiveWindow; params: AnyParams }[] = [];
    const options = { k1: 2, k2: 5, loss, communicator, ...(resume && { resume }) };
    for (const window of truncated(cell, present, own.slice(resume?.end ?? 0), options)) {
      const gradients = numbers(window.gradients);
      const [updates, next] = optimizer.update(window.gradients, state, present);
      present = applyUpdates(present, updates) as AnyParams;
      state = next;
      seen.push({ gradients, live: filed(window.live), params: filed(present) });
    }
    return seen;
  };
  const whole = run(first);
  const gradients = (list: typeof whole) => JSON.stringify(list.map((seen) => seen.gradients));
  const { live, params } = whole[2]!;
  const said = (resume: LiveWindow) => {
    try {
      run(params, resume);
    } catch (error) {
      return String(error).replaceAll(/worker [01](?=[,;])/g, "worker RANK");
    }
    return "nothing was said";
  };
  const exchanged = gather(communicator, live)[1 - rank]!;
  return {
    whole: gradients(run(params, live)) === gradients(whole.slice(3)),
    exchanged: said(exchanged),
    apart: said(rank === 0 ? whole[1]!.live : live),
  };
};
