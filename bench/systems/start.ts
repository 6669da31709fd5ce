import { corpusTask, loadCorpus } from "chronograd/text";
import { type Metrics, modelOf, train, trainOptions } from "chronograd/training";
import { checkedSteps, sizeOf } from "../protocol.ts";
import type { Maker, Outcome } from "../serve.ts";

/**
 * The loop of `npm start`, as the command runs it, without its estimates on held-out text. A step
 * is several windows, and its time is that of one, from the characters a second that the command
 * itself tells. The first steps are of one window, for comparison with other systems.
 */
export const start: Maker = async ({ config }) => {
  const [hidden, batch, tokens, windows] = ["H", "B", "tokens", "windows"].map((name) =>
    sizeOf(config, name),
  ) as [number, number, number, number];
  const options = { ...trainOptions.parse({ batch }), hidden, save: Number.MIN_VALUE };
  const task = { ...corpusTask(loadCorpus(undefined, batch), options), estimate: undefined };
  const model = await modelOf(options, task.interface);
  const lines: Metrics[] = [];
  let wanted = 0;
  let turn = Promise.withResolvers<void>();
  let pause = Promise.withResolvers<void>();
  const folder = {
    log: (line: Metrics) => void lines.push(line),
    // The loop waits where it saves, after every window: its stopwatch stands still there.
    save(): Promise<void> {
      if (lines.length < wanted) return Promise.resolve();
      turn.resolve();
      return pause.promise;
    },
  };
  const io = {
    ...{ say() {}, result() {}, stopping: () => false, color: false },
    progress: () => ({ update() {}, stop() {} }),
  };
  const job = { options, task, model, folder, end: Number.MAX_VALUE, windows: undefined };
  train(job, io).catch((error: unknown) => turn.reject(error));
  let steps = 0;
  return {
    async step(): Promise<Outcome> {
      const go = pause;
      lines.length = 0;
      wanted = steps++ < checkedSteps ? 1 : windows;
      turn = Promise.withResolvers();
      pause = Promise.withResolvers();
      go.resolve();
      await turn.promise;
      const seconds = lines.reduce((sum, line) => sum + tokens / line.tokensPerSecond, 0);
      const { loss, gradientNorm: norm } = lines[0]!;
      return { ms: (1000 * seconds) / lines.length, loss, norm };
    },
  };
};
