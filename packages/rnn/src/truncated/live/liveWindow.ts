import { type Tensor, tree } from "@chronograd/autodiff";
import { describeType } from "@chronograd/autodiff/internal";
import type { TruncatedSettings } from "../options.ts";
import type { PreparedStep } from "../step.ts";
import { checkUnchanged, isUnchanged } from "../unchanged.ts";
import { Packing } from "./packing.ts";

/** What a stream keeps of its past after a window. */
export interface Past<Params, State, X, Target> {
  /** The states where the next window may begin: before the first of the steps, and after it. */
  readonly states: readonly State[];
  /** Steps that the next window may reach, and with which parameters they ran, if they stay so. */
  readonly steps: readonly PastStep<Params, X, Target>[];
  /** Steps of zeros with the shapes that are planned, where the first step has others. */
  readonly planned: readonly PreparedStep<X, Target>[];
  /** Why steps run on a tape, in words; `undefined` where they run as plans. */
  readonly reason: string | undefined;
  /** Into how many parts the rows are cut. */
  readonly shards: number;
}

/** A step that ran, and with which parameters. */
export interface PastStep<Params, X, Target> {
  readonly step: PreparedStep<X, Target>;
  readonly params: Params | undefined;
}

/**
 * All that a stream needs to go on after a window, as a tree that a checkpoint can hold: give it to
 * `truncated` as `resume`, with a stream that begins with step `end + 1`. The next window is then,
 * bit for bit, the one that would have come.
 *
 * Its tensors stand in one list, each once. In all other parts, `"@3"` stands for the fourth of
 * them.
 */
export interface LiveWindow {
  /** The index of the window that it is of. */
  readonly index: number;
  /** The last step that the stream has taken. */
  readonly end: number;
  /** How the stream is cut and swept, and which worker's rows they are. */
  readonly settings: { readonly [name: string]: string | number | boolean };
  /** The parameters' paths, dtypes and shapes. */
  readonly model: readonly string[];
  /** Why steps run on a tape, in words; `null` where they run as plans. */
  readonly tape: string | null;
  /** Steps of zeros with the shapes that are planned, where `steps` begins with others. */
  readonly planned: readonly unknown[];
  /** Into how many parts the rows are cut, so that sums are in the order that they were. */
  readonly shards: number;
  /** The states where the next window may begin, one after the other. */
  readonly states: readonly unknown[];
  /** The steps that the next window may reach back to, the last of which is `end`. */
  readonly steps: readonly unknown[];
  /**
   * The parameters with which those steps ran, and how many ran with them, in the order of time.
   */
  readonly generations: readonly { readonly params: unknown; readonly steps: number }[];
  /** All tensors. */
  readonly tensors: readonly Tensor[];
}

/** Whether no further window can come: this one was shorter than k1, or is the only one. */
export function isOver({ stale, k1, burnIn }: Cuts, end: number): boolean {
  return stale === "defer" || (end - burnIn) % k1 !== 0;
}

type AnySettings = TruncatedSettings<unknown, never, never>;
type Cuts = Pick<AnySettings, "stale" | "k1" | "burnIn">;

/** The settings that windows depend on. */
export function settingsOf({ communicator, ...settings }: AnySettings): LiveWindow["settings"] {
  const { stale, k1, k2, losses, multiplicity, reduction, compile, burnIn } = settings;
  const { rank: worker, size: workers } = communicator;
  return { stale, k1, k2, losses, multiplicity, reduction, compile, burnIn, worker, workers };
}

/** Each tensor of the parameters in words. */
export function modelOf(params: unknown): string[] {
  return tree.leavesWithPath(params).map(([path, x]) => `${path} ${describeType(x)}`.trim());
}

const nothing: Past<unknown, unknown, unknown, unknown> = {
  states: [],
  steps: [],
  planned: [],
  reason: undefined,
  shards: 1,
};

/** The live window after step `end`; its tensors are copies, in the innermost scope. */
export function liveWindow(
  settings: AnySettings,
  params: unknown,
  index: number,
  end: number,
  past?: () => Past<unknown, unknown, unknown, unknown>,
): LiveWindow {
  const { where } = settings;
  const packing = new Packing(where);
  const { states, steps, planned, reason, shards } =
    past && !isOver(settings, end) ? past() : nothing;
  const generations: { params: unknown; steps: number }[] = [];
  let before = "";
  for (const [i, { step, params: used }] of steps.entries()) {
    const t = end - steps.length + 1 + i;
    checkUnchanged(where, step, t);
    if (used === undefined) continue;
    if (!isUnchanged(used as object)) {
      throw new Error(
        `${where}: the parameters of step ${t} were changed through a live view after it ran, so they cannot be part of a live window; change a clone(...) instead`,
      );
    }
    const packed = packing.pack(used, "params");
    // Where parameters did not change, windows have the same ones under other handles.
    const key = JSON.stringify(packed);
    if (key === before) generations.at(-1)!.steps++;
    else generations.push({ params: packed, steps: 1 });
    before = key;
  }
  return {
    index,
    end,
    settings: settingsOf(settings),
    model: modelOf(params),
    tape: reason ?? null,
    shards,
    planned: planned.map((step) => packing.pack(step, "planned")),
    states: states.map((state) => packing.pack(state, "state")),
    steps: steps.map(({ step }, i) => {
      return packing.pack(step, `step ${end - steps.length + 1 + i}`);
    }),
    generations,
    tensors: packing.copies(),
  };
}
