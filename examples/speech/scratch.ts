import { rng } from "@chronograd/nn";
import { errorRate } from "@chronograd/nn/metrics";
import { exampleOf, utterances } from "./src/connected.ts";
import { connectedLoss, network, spokenDigits } from "./src/model.ts";
import { readRecordings } from "./src/recordings.ts";
import { singleDigits } from "./src/single.ts";
import { trained } from "./src/train.ts";

const t0 = performance.now();
const say = (...a: unknown[]) =>
  console.log(
    ((performance.now() - t0) / 1000).toFixed(1),
    (process.cpuUsage().user / 1e6).toFixed(1),
    ...a,
  );
const io = {
  say,
  progress: () => ({ update: (d: number, f: string) => say(d, f), stop() {} }),
  stopping: () => false,
} as never;
const around = { io, folder: { log() {} } as never };
const recs = readRecordings("../../../shared/data/fsdd");
say("read");
const E = process.env;
const seed = Number(E.SEED ?? 1),
  epochs = Number(E.E ?? 12),
  peak = Number(E.LR ?? 5e-3),
  size = Number(E.B ?? 16),
  hidden = Number(E.H ?? 64);
const test = recs.filter((r) => r.take < 5),
  training = recs.filter((r) => r.take >= 5);
if (E.TASK === "c") {
  const spoken = utterances(test, { least: 3, most: 7, pause: 0.4 }, rng(0, "test")).map(exampleOf);
  const net = network(hidden, 11);
  const params = await trained(
    net,
    {
      what: "c",
      seed,
      epochs,
      size,
      peak,
      loss: connectedLoss,
      examples: (r) => utterances(training, { least: 1, most: 7, pause: 0.4 }, r).map(exampleOf),
    },
    around,
  );
  say(
    errorRate(
      spokenDigits(net, params, spoken),
      spoken.map((x) => x.digits),
    ).toFixed(4),
  );
} else if (E.TASK) {
  say(
    await singleDigits(
      "held",
      recs.filter((r) => r.speaker !== E.TASK),
      recs.filter((r) => r.speaker === E.TASK),
      { seed, hidden, epochs },
      around,
    ),
  );
} else say(await singleDigits("digits", training, test, { seed, hidden, epochs }, around));
