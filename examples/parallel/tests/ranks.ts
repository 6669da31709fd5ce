// What runs under mpiexec, and alone: the training of each example, at a tiny size.
//   node ranks.ts FILE
import { writeFileSync } from "node:fs";
import { isTensor, type Tensor, tree } from "@chronograd/autodiff";
import { type Communicator, gather, type Rng, rng } from "@chronograd/nn";
import { mpi } from "@chronograd/nn/node";
import { recurrent, seasonalNaive } from "chronograd/forecast";
import { corpusOf, corpusTask } from "chronograd/text";
import { modelOf, train as trainCommand, trainOptions } from "chronograd/training";
import { reader, trained as readImages } from "../../images/src/model.ts";
import { cadences } from "../../music/src/chorales.ts";
import { choraleModel } from "../../music/src/model.ts";
import { train as playChorales } from "../../music/src/train.ts";
import { inputs } from "../../speech/src/features.ts";
import { connectedLoss, digitLoss, network } from "../../speech/src/model.ts";
import { type Training as Hearing, trained as hear } from "../../speech/src/train.ts";
import { ruledDictionary } from "../../spelling/src/dictionary.ts";
import { speller } from "../../spelling/src/model.ts";
import { updates } from "../../spelling/src/train.ts";
import { forecaster } from "../../video/src/model.ts";
import { train as watch } from "../../video/src/train.ts";

/** What a training came to. */
export interface Learnt {
  readonly losses: readonly number[];
  /** The parameters of each rank, one after another. */
  readonly params: readonly (readonly number[])[];
  /** Of each batch, the share that the first rank had. */
  readonly shares: readonly number[];
}

const io = {
  ...{ say: () => {}, result: () => {}, stopping: () => false, color: false },
  progress: () => ({ update: () => {}, stop: () => {} }),
};

const numbersOf = (random: Rng, length: number) =>
  Float32Array.from({ length }, () => random.uniform());

/** What each example learns; batches of three rows, the last of one. */
const trainings: Readonly<
  Record<string, (communicator: Communicator, losses: number[]) => unknown>
> = {
  images(communicator, losses) {
    const random = rng(1, "images");
    const pixels = Array.from({ length: 4 }, () => numbersOf(random, 16));
    const move = rng(1, "move");
    const { params } = readImages(
      reader({ hidden: 3, width: 4, seed: 1 }),
      { side: 4, pixels, classes: [3, 1, 4, 1] },
      {
        ...{ seed: 1, epochs: 3, size: 3, rate: 0.01, communicator },
        augment: (image) => image.map((x) => x * move.uniform()),
        report: (_epoch, loss) => losses.push(loss),
      },
    );
    return params;
  },
  music: (communicator, losses) => chorales(communicator, losses, 0),
  "music with dropout": (communicator, losses) => chorales(communicator, losses, 0.3),
  async speech(communicator, losses) {
    const random = rng(1, "sounds");
    const examples = [4, 6, 5, 7].map((length, digit) => ({
      digits: [digit],
      steps: Array.from({ length }, () => numbersOf(random, inputs)),
    }));
    const folder = { log: (line: object) => losses.push((line as { loss: number }).loss) };
    const of = (output: number, loss: Hearing["loss"]) =>
      hear(
        network(3, output),
        { what: "sounds", seed: 1, epochs: 2, size: 3, peak: 0.01, examples: () => examples, loss },
        { io, folder, communicator },
      );
    // Without dropout, whose draws are those of the ranks.
    const digits = await of(10, (net, params, some) => digitLoss(net, params, some, null));
    const connected = await of(11, (net, params, some) => connectedLoss(net, params, some, null));
    return { digits, connected };
  },
  async spelling(communicator, losses) {
    const data = ruledDictionary(1);
    // So few that words of different lengths come together.
    const words = { ...data, training: data.training.slice(0, 4) };
    const model = speller({ phonemes: data.phonemes.length, hidden: 4, dropout: 0 });
    let params: unknown;
    const settings = { seed: 1, epochs: 30, size: 3, rate: 0.01, truth: 1 };
    for await (const update of updates(model, words, settings, communicator)) {
      losses.push(update.loss);
      params = update.params;
      if (update.index === 4) break;
    }
    return params;
  },
  video(communicator, losses) {
    const random = rng(1, "shapes");
    const images = { side: 2, pixels: Array.from({ length: 3 }, () => numbersOf(random, 4)) };
    const how = { size: 4, count: 1, speed: 0.7, steps: 5 };
    const training = { seed: 1, rows: 3, updates: 3, rate: 0.01, ahead: 2, how };
    const model = forecaster({ size: 4, patch: 2, hidden: 2 });
    return watch(model, images, training, communicator, (loss) => losses.push(loss) > 0);
  },
  async language(communicator, losses) {
    const task = corpusTask(corpusOf("Banana", "banana".repeat(40), 3), {
      ...{ batch: 3, temperature: 1 },
    });
    const given = { cell: "gru", batch: 3, k1: 6, k2: 6, lr: 0.1, warmup: 1 };
    const options = { ...trainOptions.parse(given), hidden: 4 };
    const model = await modelOf(options, task.interface);
    const { trained, metrics } = await trainCommand(
      {
        ...{ options, task, model, windows: 3, end: undefined, communicator },
        folder: { log: () => {}, save: async () => {} },
      },
      io,
    );
    losses.push(...metrics.map(({ loss }) => loss));
    return trained.params;
  },
  forecasting(communicator, losses) {
    const random = rng(1, "series");
    const values = Float64Array.from({ length: 50 }, (_, t) => Math.sin(t) + random.normal());
    const { forecast } = recurrent(values, {
      ...{ base: seasonalNaive({ season: 4 }), least: 4, horizon: 2, period: 4, window: 8 },
      // The network begins with forecasts of 0, so dropout does not change the first loss.
      ...{ members: 1, epochs: 1, hidden: 3, communicator },
      onEpoch: (_done, _total, loss) => losses.push(loss) === 0,
    });
    const forecasts = forecast(values, [20, 30, 40], 2);
    return { forecasts: forecasts.map((each) => [...each]) };
  },
};

async function chorales(communicator: Communicator, losses: number[], dropout: number) {
  const all = cadences(rng(1));
  const data = { ...all, train: all.train.slice(0, 4), valid: all.valid.slice(0, 1) };
  const settings = { seed: 1, epochs: 3, size: 3, rate: 0.01, transpose: 0.5 };
  const model = choraleModel({ hidden: 4, dropout });
  return playChorales(model, data, settings, communicator, ({ train, valid }) => {
    losses.push(train, valid);
    return true;
  });
}

/** All numbers of a tree. */
function flat(values: unknown): number[] {
  const isLeaf = (leaf: unknown): leaf is Tensor | number =>
    typeof leaf === "number" || isTensor(leaf);
  return tree
    .leavesWithPath<Tensor | number>(values, isLeaf)
    .flatMap(([, leaf]) => (typeof leaf === "number" ? [leaf] : [...leaf.toTypedArray()]));
}

/** All trainings, by name. */
export async function learn(communicator: Communicator): Promise<Record<string, Learnt>> {
  const found: Record<string, Learnt> = {};
  for (const [name, training] of Object.entries(trainings)) {
    const losses: number[] = [];
    const shares: number[] = [];
    const watched: Communicator = {
      ...communicator,
      allReduce(values) {
        const sums = communicator.allReduce(values);
        // How many rows the ranks have, before they compute.
        if (typeof values === "number") shares.push(values / (sums as number));
        return sums;
      },
    };
    const params = gather(communicator, flat(await training(watched, losses)));
    found[name] = { losses, params, shares };
  }
  return found;
}

if (import.meta.main) {
  const communicator = mpi();
  const found = await learn(communicator);
  if (communicator.rank === 0) writeFileSync(process.argv[2]!, JSON.stringify(found));
}
