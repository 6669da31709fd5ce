import { tree } from "@chronograd/autodiff";
import { type Communicator, type Rng, type RngState, rngFrom } from "@chronograd/nn";
import type { PlainCell } from "../modules/loadCell.ts";

/** Whether a model draws random numbers while it runs. */
export function draws({ noise }: Pick<PlainCell, "noise">): boolean {
  const isNoise = (value: unknown): value is object => typeof Object(value).draw === "function";
  return tree.leavesWithPath<object>(noise, isNoise).length > 0;
}

/** Where a generator of noise begins. */
export interface NoiseStart {
  readonly random: Rng;
  readonly communicator: Communicator;
  readonly windows: number;
  readonly earlier: RngState | null;
}

/**
 * The generator of what a model draws; none where it draws nothing. Each of several ranks has one
 * of its own, by name, and so has each of those that go on with a run of another number of ranks.
 */
export function noiseOf(
  model: Pick<PlainCell, "noise">,
  { random, communicator: { rank, size }, windows, earlier }: NoiseStart,
): Rng | undefined {
  if (model.noise === undefined) return undefined;
  if (earlier !== null) return rngFrom(earlier);
  const noise = random.split("noise");
  if (size === 1 && windows === 0) return noise;
  return noise.split(`rank ${rank} of ${size} from window ${windows}`);
}
