import { nameOfInput, type OpDeclaration } from "../ops/declare.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { describeTensor } from "../tensor/text.ts";
import { currentPlace, type Place, pathOf, stepOf } from "./place.ts";

/** The id of an input that the tape does not track. */
export const constantId = -1;

/** Ids of watched leaves count down from -2, one per slot; entries count up from 0. */
export function leafId(slot: number): number {
  return -2 - slot;
}

/** The slot of a leaf's id. */
export function slotOf(id: number): number {
  return -2 - id;
}

/** One application of an op: what was applied, to which values, with what result. */
export class Entry {
  readonly declaration: OpDeclaration;
  readonly attributes: unknown;
  /** The inputs without this tape's tracking. */
  readonly inputs: readonly Tensor[];
  /** Where each input comes from: an entry, a leaf, or `constantId`. */
  readonly ids: readonly number[];
  /** The output without this tape's tracking. */
  readonly output: Tensor;
  /** The versions, added up, of the values that derivative rules read, when they were read. */
  readonly versions: number;
  /** The part of the model and the time step it stands in. */
  readonly place: Place | null;
  /** The stack when it was recorded, on a tape that traces. */
  readonly stack: Error | undefined;

  constructor(
    declaration: OpDeclaration,
    attributes: unknown,
    inputs: readonly Tensor[],
    ids: readonly number[],
    output: Tensor,
    stack: Error | undefined,
  ) {
    this.declaration = declaration;
    this.attributes = attributes;
    this.inputs = inputs;
    this.ids = ids;
    this.output = output;
    this.versions = versionsKept(declaration, inputs, output);
    this.place = currentPlace();
    this.stack = stack;
    for (const input of inputs) input.block.retain();
    output.block.retain();
    declaration.kept?.retain();
  }

  release(reason: string): void {
    for (const input of this.inputs) input.block.release(reason);
    this.output.block.release(reason);
    this.declaration.kept?.release(reason);
  }

  /** Throws when a value that a derivative rule is about to read was changed since. */
  checkVersions(position: number): void {
    const { declaration, inputs, output } = this;
    if (versionsKept(declaration, inputs, output) === this.versions) return;
    const { residuals } = declaration;
    // The one that was changed most often: exact unless several values had live views.
    const kept = inputs.filter(
      (_, i) => residuals.inputs === "all" || residuals.inputs.includes(i),
    );
    if (residuals.output) kept.push(output);
    const changed = kept.reduce((a, b) => (b.block.version > a.block.version ? b : a));
    const i = inputs.indexOf(changed);
    const value = i < 0 ? "its output" : `its input ${nameOfInput(declaration, i)}`;
    throw new Error(
      `gradient: ${declaration.name} (entry ${position}${inWords(this.place)}) needs ${value}, ${describeTensor(changed)}, as it was recorded, but it was changed through a live view since; change a clone(...) instead, or record again`,
    );
  }
}

function inWords(place: Place | null): string {
  const [t, path] = [stepOf(place), pathOf(place)];
  return `${t === undefined ? "" : `, time step ${t}`}${path === "" ? "" : `, in ${path}`}`;
}

function versionsKept(
  { residuals }: OpDeclaration,
  inputs: readonly Tensor[],
  output: Tensor,
): number {
  let versions = residuals.output ? output.block.version : 0;
  if (residuals.inputs === "all") {
    for (const input of inputs) versions += input.block.version;
  } else {
    for (const i of residuals.inputs) versions += inputs[i]!.block.version;
  }
  return versions;
}
