import { isTensor, type Tensor } from "@chronograd/autodiff";
import { checkAlive, checkOptions } from "@chronograd/autodiff/internal";
import { textOf } from "../../checkDefinition.ts";
import { isBranch } from "../../findTensor.ts";
import { checkMark } from "../../sequences/marks.ts";
import type { TruncatedSettings } from "../options.ts";
import { checkUntracked, type PreparedStep } from "../step.ts";
import { isOver, type LiveWindow, settingsOf } from "./liveWindow.ts";
import { unpack } from "./packing.ts";

/** A live window, read and checked: what a stream begins with. */
export interface Resumed extends Pick<LiveWindow, "index" | "end" | "model"> {
  /** No further window can come. */
  readonly isOver: boolean;
  /** Steps before the first of those that are there. */
  readonly start: number;
  readonly states: readonly unknown[];
  readonly steps: readonly PreparedStep<unknown, unknown>[];
  readonly planned: readonly PreparedStep<unknown, unknown>[];
  readonly generations: readonly { readonly params: object; readonly steps: number }[];
  /** Why steps run on a tape, in words; `undefined` where they run as plans. */
  readonly reason: string | undefined;
  /** Into how many parts the rows are cut. */
  readonly shards: number;
}

type Settings = Omit<TruncatedSettings<unknown, never, never>, "resumed">;

const isObject = (value: unknown) => isBranch(value) && !Array.isArray(value);
const isCount = (value: unknown) => Number.isInteger(value) && (value as number) >= 0;

/** The parts of a live window, and what each must be. */
const parts: readonly (readonly [keyof LiveWindow, string, (value: unknown) => boolean])[] = [
  ["index", "a whole number of windows", isCount],
  ["end", "a whole number of steps", isCount],
  ["settings", "an object", isObject],
  ["model", "a list", Array.isArray],
  ["tape", "a text or null", (value) => value === null || typeof value === "string"],
  ["shards", "a whole number of at least 1", (value) => isCount(value) && value !== 0],
  ["planned", "a list", Array.isArray],
  ["states", "a list", Array.isArray],
  ["steps", "a list", Array.isArray],
  ["generations", "a list", Array.isArray],
  ["tensors", "a list of tensors", (value) => Array.isArray(value) && value.every(isTensor)],
];

/** Throws a sentence for what is no live window of a stream with these settings. */
export function resumedFrom(live: LiveWindow, settings: Settings): Resumed {
  const { where } = settings;
  const what = `${where}: the live window to resume`;
  if (!isObject(live) || "gradients" in live) {
    const got = isTensor(live) ? "a tensor" : isObject(live) ? "a window" : textOf(live);
    throw new TypeError(
      `${where}: resume must be what window.live gave, as a checkpoint holds it, got ${got}`,
    );
  }
  checkOptions(
    `${where}: resume`,
    live,
    parts.map(([name]) => name),
  );
  for (const [name, expected, isRight] of parts) {
    const part = live[name];
    if (isRight(part)) continue;
    const got = Array.isArray(part) ? "others among them" : textOf(part);
    throw new TypeError(`${what} must have ${expected} as ${name}, got ${got}`);
  }
  checkSettings(what, live.settings, settingsOf(settings));
  const { index, end, model, tensors, tape } = live;
  checkSpan(what, live, settings);
  const { shards } = settings.sharding;
  if (shards > 0 && shards !== live.shards && !isOver(settings, end)) {
    throw new RangeError(
      `${what} is of a stream with ${live.shards} shards of these rows, got ${shards}; leave shards out, or resume with those of that stream`,
    );
  }
  for (const [i, x] of tensors.entries()) {
    checkAlive(x, what, `tensor ${i}`);
    checkUntracked(what, `tensor ${i}`, x);
  }
  const of = (value: unknown, path: string) => unpack(what, value, tensors, path);
  const steps = live.steps.map((step, i) => {
    return checkedStep(what, of(step, `steps.${i}`), end - live.steps.length + 1 + i);
  });
  const generations = live.generations.map((generation, i) => {
    const { params, steps: count } = Object(generation) as LiveWindow["generations"][number];
    const used = of(params, `generations.${i}.params`);
    if ((isBranch(used) || isTensor(used)) && isCount(count) && count > 0)
      return { params: used as object, steps: count };
    throw new TypeError(
      `${what}: generation ${i} must be { params, steps }, got ${textOf(generation)}`,
    );
  });
  const found: Resumed = {
    index,
    end,
    model,
    isOver: isOver(settings, end),
    start: end - steps.length,
    states: live.states.map((state, i) => of(state, `states.${i}`)),
    steps,
    planned: live.planned.map((step, i) => checkedStep(what, of(step, `planned.${i}`), i + 1)),
    generations,
    reason: tape ?? undefined,
    shards: live.shards,
  };
  if (!found.isOver) checkParts(what, found, settings);
  return found;
}

/** Throws for the first setting that is another one. */
function checkSettings(
  what: string,
  found: LiveWindow["settings"],
  expected: LiveWindow["settings"],
): void {
  checkOptions(`${what}: settings`, found, Object.keys(expected));
  for (const [name, value] of Object.entries(expected)) {
    if (found[name] === value) continue;
    const was = name in found ? textOf(found[name]) : "nothing";
    throw new RangeError(
      `${what} is of a stream with ${name} ${was}, got ${name} ${textOf(value)}; resume with the settings of that stream`,
    );
  }
}

/** Throws unless a window of this index ends at this step. */
function checkSpan(
  what: string,
  { index, end }: LiveWindow,
  { stale, k1, burnIn }: Settings,
): void {
  const before = burnIn + (index === 0 ? 0 : index * k1);
  const isFirst = stale === "defer";
  if (end > before && (isFirst ? index === 0 : end <= burnIn + (index + 1) * k1)) return;
  throw new RangeError(
    `${what} says that window ${index} ended at step ${end}, and with k1 ${k1} and burnIn ${burnIn} it ends at step ${burnIn + (index + 1) * k1}`,
  );
}

const partsOfStep = "input target reset mask first isEmpty fresh noise".split(" ");

/** A step with its marks, and nothing else. */
function checkedStep(what: string, step: unknown, t: number): PreparedStep<unknown, unknown> {
  checkOptions(`${what}: step ${t}`, step, partsOfStep);
  const marks = step as PreparedStep<unknown, unknown>;
  for (const name of ["reset", "mask", "first"] as const) {
    const mark: Tensor | undefined = marks[name];
    if (mark === undefined) continue;
    const { size } = marks.mask ?? marks.reset ?? mark;
    checkMark(`${what}: the ${name} of step ${t}`, mark, [size]);
  }
  return marks;
}

/** Throws unless there are as many steps, states and generations as the next window may need. */
function checkParts(
  what: string,
  { end, steps, states, generations }: Resumed,
  { stale, k1, k2, burnIn }: Settings,
): void {
  const must = (isRight: boolean, expected: string, got: number) => {
    if (!isRight) throw new RangeError(`${what} must hold ${expected}, got ${got}`);
  };
  // The next window ends at end + 1 to end + k1, and begins k2 before that.
  const [first, last] = [1, k1].map((more) => Math.max(burnIn, end + more - k2)) as [
    number,
    number,
  ];
  const { length } = steps;
  must(
    length === end - first || (length === k2 && k2 <= end - burnIn),
    `the ${end - first} steps that the next window may reach back to`,
    length,
  );
  const isCarried = stale === "carry";
  const begins = isCarried ? 1 : last - first + 1;
  must(states.length === begins, `${begins} state${begins === 1 ? "" : "s"}`, states.length);
  const ran = generations.reduce((sum, generation) => sum + generation.steps, 0);
  must(ran === (isCarried ? length : 0), `the parameters of ${isCarried ? length : 0} steps`, ran);
}
