import { isTensor, type Tensor } from "@chronograd/autodiff";
import { describeSite, siteOf } from "@chronograd/autodiff/internal";
import type { Site } from "@chronograd/autodiff/testing";
import type { Change, Cone } from "./changes.ts";
import type { Grid } from "./grid.ts";
import { type Experiment, type Run, same, seedsOf } from "./run.ts";

type Entry = ReturnType<Run["tape"]["entries"]["at"]>;

/** The op by which something comes that must not matter. */
export interface Culprit {
  readonly site: Site;
  readonly words: string;
}

/** Whether values of a step and a row, or of all where it is not known, may be different. */
type Allowed = (step: number | undefined, row: number | undefined) => boolean;

/**
 * The op by which a change comes into a result: of the entries that lead to it, the first that
 * differs between both runs where the change must not reach.
 */
export function culpritOf(
  grid: Grid,
  change: Change,
  cone: Cone,
  [before, after]: readonly [Run, Run],
  result: number,
  step: number | undefined,
): Culprit | undefined {
  const [one, two] = [before.tape.entries, after.tape.entries];
  const producers = producersOf(before);
  const { x } = before.results[result]!;
  const target = before.tape.own(x)?.id ?? producers.blocks.get(x.block) ?? -1;
  const leads = ancestorsOf(before, target, producers.ofConstants);
  const allowed = allowedBy(grid, change, cone, true);
  /** Entries that lead there and differ. */
  const differing = new Map<number, readonly number[]>();
  for (let i = one.base; i <= target; i++) {
    if (leads[i - one.base] === 0) continue;
    const [a, b] = [one.at(i), two.length > i - one.base ? two.at(i) : undefined];
    if (b === undefined || !isLike(a, b)) {
      return culprit(a, i, "where the runs are different programs");
    }
    for (const [k, input] of a.inputs.entries()) {
      if (a.ids[k]! !== -1 || producers.ofConstants.get(i)?.has(k) || input.dtype === "int32")
        continue;
      const elements = differences(input, b.inputs[k]!);
      if (fits(grid, input.shape, stepOf(a, i), elements, allowed)) continue;
      const { inputs } = a.declaration;
      return culprit(a, i, `whose input ${inputs[k] ?? inputs.at(-1)} comes in as a constant`);
    }
    const elements = differences(a.output, b.output);
    if (elements.length === 0) continue;
    differing.set(i, elements);
    if (fits(grid, a.output.shape, stepOf(a, i), elements, allowed)) continue;
    if (typeof a.attributes === "number" && a.attributes !== b.attributes) {
      return culprit(
        a,
        i,
        `which is given ${a.attributes} in one run and ${b.attributes} in the other`,
      );
    }
    const handed = handedOn(grid, before, i, differing, allowedBy(grid, change, cone, false));
    return culprit(one.at(handed), handed);
  }
  const own = [...differing.keys()].filter((i) => stepOf(one.at(i), i) === step);
  const found = own.at(-1) ?? differing.keys().next().value;
  return found === undefined ? undefined : culprit(one.at(found), found);
}

/**
 * The op by which a cotangent comes to what must not matter, or depends on it: the last entry with
 * one that is not 0 there; or with one that differs in another run, but there.
 */
export function cotangentCulprit(
  experiment: Experiment,
  change: Change,
  cone: Cone,
  one: Run,
  other: Run | undefined,
): Culprit | undefined {
  const { grid } = experiment;
  const mine = cotangentsOf(experiment, one, cone);
  const theirs = other && cotangentsOf(experiment, other, cone);
  const allowed: Allowed = (step, row) => {
    const rows = row === undefined ? Array.from({ length: grid.rows }, (_, r) => r) : [row];
    const steps = step === undefined ? Array.from({ length: grid.steps }, (_, t) => t) : [step];
    // Only what changes may differ, and all else may have a cotangent.
    return rows.every((r) => steps.some((t) => change.has(t, r) === (other !== undefined)));
  };
  for (const [position, g] of [...mine].reverse()) {
    const entry = one.tape.entries.at(position);
    const before = g?.toTypedArray();
    const after = theirs?.get(position)?.toTypedArray();
    const elements = Array.from({ length: entry.output.size }, (_, i) => i).filter(
      (i) => !same(before?.[i] ?? 0, after?.[i] ?? 0),
    );
    if (fits(grid, entry.output.shape, stepOf(entry, position), elements, allowed)) continue;
    const what = other === undefined ? "is not zero there" : "differs";
    const [reading] = readingsOf(grid, entry.output.shape, stepOf(entry, position));
    const hasRows = reading!(0)[1] !== undefined;
    // It came from an op that uses the value; one that joins rows has no axis of rows itself.
    const user = [...mine.keys()].find((i) => one.tape.entries.at(i).ids.includes(position));
    return hasRows && user !== undefined
      ? culprit(one.tape.entries.at(user), user, `the cotangent of whose input ${what}`)
      : culprit(entry, position, `whose cotangent ${what}`);
  }
  return undefined;
}

/** The cotangents of all entries that depend on the batch, by position. */
function cotangentsOf(
  experiment: Experiment,
  { tape, watched, results }: Run,
  cone: Cone,
): Map<number, Tensor | undefined> {
  const { entries } = tape;
  const { params: _, ...batch } = watched;
  const reached = new Set(leavesOf(batch).map((x) => tape.own(x)?.id));
  const handles: Tensor[] = [];
  for (let i = entries.base; i < entries.end; i++) {
    const { ids, output } = entries.at(i);
    if (!ids.some((id) => reached.has(id))) continue;
    reached.add(i);
    if (output.dtype !== "int32") handles.push(tape.handle(output, i));
  }
  const { targets, cotangents } = seedsOf(experiment, tape, results, cone);
  const found = tape.gradientIfReached(targets, handles, { cotangent: cotangents });
  return new Map(handles.map(({ id }, k) => [id, found.get(String(k))]));
}

function leavesOf(values: unknown): Tensor[] {
  if (isTensor(values)) return [values];
  return typeof values === "object" && values !== null
    ? Object.values(values).flatMap(leavesOf)
    : [];
}

function culprit(entry: Entry, position: number, more = ""): Culprit {
  const site = siteOf(entry, position);
  return { site, words: `${describeSite(site)}${more === "" ? "" : `, ${more}`}` };
}

/** The step from 0 that an entry was recorded in. */
function stepOf(entry: Entry, position: number): number | undefined {
  const { t } = siteOf(entry, position);
  return t === undefined ? undefined : t - 1;
}

function isLike(a: Entry, b: Entry): boolean {
  return a.declaration === b.declaration && `${a.output.shape}` === `${b.output.shape}`;
}

function differences(a: Tensor, b: Tensor): number[] {
  if (`${a.shape}` !== `${b.shape}`) return Array.from({ length: a.size }, (_, i) => i);
  const [x, y] = [a.toTypedArray(), b.toTypedArray()];
  const found: number[] = [];
  for (let i = 0; i < x.length; i++) if (!same(x[i], y[i])) found.push(i);
  return found;
}

/** Which entries made the blocks that later ones take as constants: what was detached, mostly. */
function producersOf({ tape }: Run): {
  readonly blocks: ReadonlyMap<object, number>;
  readonly ofConstants: ReadonlyMap<number, ReadonlyMap<number, number>>;
} {
  const { entries } = tape;
  const blocks = new Map<object, number>();
  const ofConstants = new Map<number, Map<number, number>>();
  for (let i = entries.base; i < entries.end; i++) {
    const { inputs, ids, output } = entries.at(i);
    for (const [k, { block }] of inputs.entries()) {
      const made = ids[k] === -1 ? blocks.get(block) : undefined;
      if (made === undefined) continue;
      const known = ofConstants.get(i) ?? new Map<number, number>();
      ofConstants.set(i, known.set(k, made));
    }
    if (!blocks.has(output.block)) blocks.set(output.block, i);
  }
  return { blocks, ofConstants };
}

function ancestorsOf(
  { tape }: Run,
  target: number,
  ofConstants: ReadonlyMap<number, ReadonlyMap<number, number>>,
): Uint8Array {
  const { entries } = tape;
  const leads = new Uint8Array(entries.length);
  if (target >= entries.base) leads[target - entries.base] = 1;
  for (let i = target; i >= entries.base; i--) {
    if (leads[i - entries.base] === 0) continue;
    for (const id of entries.at(i).ids) if (id >= entries.base) leads[id - entries.base] = 1;
    for (const id of ofConstants.get(i)?.values() ?? []) leads[id - entries.base] = 1;
  }
  return leads;
}

/** @param isThere whether rows without a step may hold anything */
function allowedBy(grid: Grid, change: Change, cone: Cone, isThere: boolean): Allowed {
  const mayDiffer = (step: number, row: number) =>
    grid.exists(step, row) ? cone.has(step, row) || change.has(step, row) : isThere;
  return (step, row) => {
    const rows = row === undefined ? Array.from({ length: grid.rows }, (_, r) => r) : [row];
    if (step !== undefined) return rows.every((r) => mayDiffer(step, r));
    const steps = Array.from({ length: grid.steps }, (_, t) => t);
    return (
      row !== undefined &&
      (change.has(-1, row) || steps.some((t) => cone.has(t, row) || change.has(t, row)))
    );
  };
}

/** What a row without a step handed on to entry `i` from an earlier step, if that is to blame. */
function handedOn(
  grid: Grid,
  { tape }: Run,
  i: number,
  differing: ReadonlyMap<number, readonly number[]>,
  strictly: Allowed,
): number {
  const entry = tape.entries.at(i);
  const recordedAt = stepOf(entry, i);
  const from = entry.ids.find((id) => {
    const elements = differing.get(id);
    if (elements === undefined) return false;
    const input = tape.entries.at(id);
    const at = stepOf(input, id);
    return (
      at !== recordedAt &&
      at !== undefined &&
      !fits(grid, input.output.shape, at, elements, strictly)
    );
  });
  return from ?? i;
}

/**
 * Whether elements of a value lie in steps and rows that are allowed, with rows along any axis that
 * could be theirs.
 */
function fits(
  grid: Grid,
  shape: readonly number[],
  recordedAt: number | undefined,
  elements: readonly number[],
  allowed: Allowed,
): boolean {
  if (elements.length === 0) return true;
  return readingsOf(grid, shape, recordedAt).some((reading) =>
    elements.every((i) => allowed(...reading(i))),
  );
}

type Reading = (element: number) => [step: number | undefined, row: number | undefined];

/** How the elements of a shape may belong to steps and rows. */
function readingsOf(
  { steps, rows }: Grid,
  shape: readonly number[],
  recordedAt: number | undefined,
): Reading[] {
  const isKnown = recordedAt !== undefined && recordedAt >= 0 && recordedAt < steps;
  const [first = 0, second = 0] = shape;
  const size = shape.reduce((a, b) => a * b, 1);
  if (!isKnown && first === steps * rows) {
    const inner = size / first;
    return [(i) => [Math.floor(i / inner / rows), Math.floor(i / inner) % rows]];
  }
  if (!isKnown && first === steps) {
    const inner = size / first / second;
    if (second === rows)
      return [(i) => [Math.floor(i / inner / rows), Math.floor(i / inner) % rows]];
    return [(i) => [Math.floor(i / (size / first)), undefined]];
  }
  const step = isKnown ? recordedAt : undefined;
  const readings: Reading[] = [];
  let inner = size;
  for (const length of shape) {
    inner /= length;
    if (length % rows !== 0) continue;
    const own = inner;
    const group = length / rows;
    readings.push((i) => [step, (Math.floor(i / own) % length) % rows]);
    if (group > 1) readings.push((i) => [step, Math.floor((Math.floor(i / own) % length) / group)]);
  }
  return readings.length > 0 ? readings : [() => [step, undefined]];
}
