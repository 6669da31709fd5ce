// What runs under mpiexec, and alone: every mode of truncation, a loop, and one part of a run that
// is saved and goes on: node program.ts FOLDER FROM TO, where FROM and TO are windows of that run.
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Tensor, tensor, tree, valueAndGrad } from "@chronograd/autodiff";
import {
  adam,
  applyUpdates,
  type Communicator,
  chain,
  clipByGlobalNorm,
  rng,
} from "@chronograd/nn";
import { loadCheckpoint, mpi, saveCheckpoint } from "@chronograd/nn/node";
import { shard } from "@chronograd/nn/parallel";
import { gatherLive, type LiveWindow, shardLive, truncated, unroll } from "../../src/index.ts";
import { type AnyParams, modes, numbers, problem } from "../truncated/setup.ts";
import { type Setting, train } from "../truncated/workers.ts";

const B = 7;

/** Every mode, with steps as they are and as plans, all losses, both reductions. */
export const settings: readonly Setting[] = modes.flatMap((stale) =>
  [false, true].flatMap((compile) =>
    (["new", "endpoint", "window"] as const).map((losses, i): Setting => {
      const reduction = (i === 1) === compile ? "mean" : "sum";
      return {
        name: (["elman", "lstm", "gru"] as const)[i]!,
        ...{ T: 9, B, seed: i + 1 },
        options: { k1: 2, k2: 4, stale, compile, reduction, losses },
        masked: reduction === "mean" && !compile,
      };
    }),
  ),
);

/** The mean loss of a whole sequence and its gradient, by `unroll`, over the rows of all. */
function loop(communicator: Communicator) {
  const { cell, params, steps } = problem("lstm", 9, 4, B);
  const rows = steps.map((step) => shard(step, communicator));
  const own = (values: AnyParams): Tensor => {
    const { outputs } = unroll(cell, values, rows.map(({ input }) => input) as never);
    return rows.reduce(
      (sum, { target }, t) => {
        return sum.add((outputs as Tensor).slice([t]).sub(target).square().sum());
      },
      tensor(0, { dtype: "float64" }),
    );
  };
  const [loss, gradients] = valueAndGrad(own)(params);
  const sums = communicator.allReduce({ loss: loss.item(), gradients });
  return { loss: sums.loss, gradients: numbers(sums.gradients) };
}

interface Saved {
  readonly params: AnyParams;
  readonly optimizer: unknown;
  readonly live: LiveWindow;
  readonly losses: readonly number[];
}

/** Windows up to `to` of a run, from where the file ends; each part with any number of ranks. */
async function part(communicator: Communicator, i: number, path: string, to: number) {
  const { stale, compile, masked } = runs[i]!;
  const { cell, params: first, steps, loss } = problem("gru", 26, 1 + i, B);
  const saved = existsSync(path) ? await loadCheckpoint<Saved>(path) : undefined;
  let params = saved?.params ?? (tree.map(first, (x: Tensor) => x.clone()) as AnyParams);
  const optimizer = chain({ clip: clipByGlobalNorm(0.5), adam: adam({ learningRate: 0.01 }) });
  let state = (saved?.optimizer ?? optimizer.init(params)) as ReturnType<typeof optimizer.init>;
  const losses = [...(saved?.losses ?? [])];
  const random = rng(i, "masks");
  const all = steps.map((step, t) => {
    const mask = Int32Array.from({ length: B }, () => (random.uniform() < 0.3 ? 0 : 1));
    const reset = Int32Array.from({ length: B }, () => (t > 0 && random.uniform() < 0.1 ? 1 : 0));
    return masked ? { ...step, mask: tensor(mask), reset: tensor(reset) } : step;
  });
  const own = all.slice(saved?.live.end ?? 0).map((step) => shard(step, communicator));
  const stream = truncated(cell, params, own, {
    ...{ k1: 2, k2: 5, stale, compile, loss, communicator, reduction: "mean" },
    ...(saved && { resume: shardLive(saved.live, communicator) }),
  });
  for (const window of stream) {
    const [updates, next] = optimizer.update(window.gradients, state, params);
    params = applyUpdates(params, updates as AnyParams) as AnyParams;
    state = next;
    losses.push(...window.losses);
    if (window.index + 1 < to) continue;
    const live = gatherLive(communicator, window.live);
    if (communicator.rank === 0) {
      await saveCheckpoint(path, { params, optimizer: state, live, losses });
    }
    break;
  }
  // The file is there before any rank goes on to the next run.
  communicator.barrier();
  return { losses, params: numbers(params) };
}

/** Runs that are saved. */
export const runs = (["carry", "recompute"] as const).flatMap((stale) =>
  [false, true].map((compile) => ({ stale, compile, masked: stale === "carry" })),
);

export async function program(communicator: Communicator, folder: string, to: number) {
  const parts = [];
  for (const i of runs.keys()) {
    parts.push(await part(communicator, i, join(folder, `run-${i}`), to));
  }
  const trained = (setting: Setting) => {
    const { windows, params } = train(communicator, setting);
    return {
      windows: windows.map(({ gradients, totals, spans }) => ({ gradients, totals, spans })),
      params,
    };
  };
  return {
    parts,
    loop: loop(communicator),
    settings: settings.map(trained),
    // The same, their sums in the order of four shards.
    shards: settings.map((setting) =>
      trained({ ...setting, B: 8, options: { ...setting.options, shards: 4 } }),
    ),
  };
}

export type Said = Awaited<ReturnType<typeof program>>;

if (import.meta.main) {
  const [folder = "", to] = process.argv.slice(2);
  const communicator = mpi();
  const said = await program(communicator, folder, Number(to));
  writeFileSync(
    join(folder, `said-${communicator.size}-${communicator.rank}`),
    JSON.stringify(said),
  );
}
