import { concat, type Tensor, tree } from "@chronograd/autodiff";
import { type Communicator, gather, type RngState } from "@chronograd/nn";
import { shard } from "@chronograd/nn/parallel";
import { gatherLive, type LiveWindow, shardLive } from "@chronograd/rnn";
import type { Checkpoint } from "./checkpoint.ts";
import type { OptimizerState } from "./optimizer.ts";

/** What a rank of several has of its own. */
export interface RankPart {
  /** Where each rank makes updates of its own. */
  readonly optimizer: OptimizerState | null;
  readonly noise: RngState | null;
  readonly live: LiveWindow | null;
}

/** What a checkpoint has of ranks that are not alike: they update alone, or draw noise. */
export interface RankParts {
  /** The parts of the ranks after the first. */
  readonly others: readonly RankPart[];
  /** The state of all rows, for another number of ranks; null where there is no live window. */
  readonly state: unknown;
  /** The last time step. */
  readonly end: number;
}

/** The live window of all rows; all ranks must ask for it. */
export function liveOfAll(communicator: Communicator, live: LiveWindow | null): LiveWindow | null {
  return live === null || communicator.size === 1 ? live : gatherLive(communicator, live);
}

/** The parts of all ranks; all must ask for them. */
export function partsOfAll(
  communicator: Communicator,
  own: RankPart & { readonly state: unknown },
  end: number,
): RankParts {
  const parts = communicator.size === 1 ? [own] : gather(communicator, own);
  const states = parts.map(({ state }) => state);
  return {
    others: parts.slice(1).map(({ optimizer, noise, live }) => ({ optimizer, noise, live })),
    state: own.state === null ? null : joined(states),
    end,
  };
}

/** Trees of rows one below the other; tensors without axes are the same for all. */
function joined([first, ...others]: readonly unknown[]): unknown {
  const rest = others.map((each) => tree.leaves(each));
  let leaf = 0;
  return tree.map(first, (x: Tensor) => {
    const i = leaf++;
    return x.rank === 0 ? x : concat([x, ...rest.map((leaves) => leaves[i]!)]);
  });
}

/** What a rank begins with. */
export interface Beginning {
  readonly optimizer: OptimizerState | undefined;
  readonly noise: RngState | null;
  /** What the stream of windows goes on from; or else it begins anew, after step `end`. */
  readonly live: LiveWindow | undefined;
  readonly state: unknown;
  readonly end: number;
}

/**
 * What a rank takes from a checkpoint. Ranks that are not alike go on bit for bit where they are as
 * many as before. Other numbers of ranks carry the state of each row on, and the moments of the
 * optimizers, dealt out in turn; their windows do not reach back before the checkpoint.
 */
export function beginningOf(
  checkpoint: Checkpoint | undefined,
  communicator: Communicator,
): Beginning {
  const { rank, size } = communicator;
  const { optimizer, noise = null, live, apart } = checkpoint ?? {};
  if (apart === undefined) {
    const own = live && (size === 1 ? live : shardLive(live, communicator));
    return { optimizer, noise, live: own ?? undefined, state: null, end: 0 };
  }
  const parts: readonly RankPart[] = [checkpoint as RankPart, ...apart.others];
  const own = parts[rank % parts.length]!;
  const common = { optimizer: own.optimizer ?? optimizer, end: apart.end };
  if (parts.length === size) {
    return { ...common, noise: own.noise, live: own.live ?? undefined, state: null };
  }
  const state = apart.state === null ? null : shard(apart.state, communicator);
  return { ...common, noise: null, live: undefined, state };
}
