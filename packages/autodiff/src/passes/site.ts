import type { Entry } from "../tape/entry.ts";
import { linesOf, type SourceLine } from "../tape/origin.ts";
import { pathOf, stepOf } from "../tape/place.ts";
import { format } from "../tensor/shape.ts";

/** Where an entry stands: what a report needs to lead a reader there. */
export interface Site {
  readonly op: string;
  /** Position on the tape. */
  readonly entry: number;
  /** Shapes of the inputs and of the output: `[2,3] [3] -> [2,3]`. */
  readonly shapes: string;
  /** The time step, counted from 1, where one is known. */
  readonly t: number | undefined;
  /** Names of the parts of the model around it, from the outside in; `""` where there are none. */
  readonly place: string;
  /** The line of the program, where the tape traces. */
  readonly line: SourceLine | undefined;
  /** The line that called the function with that line: the model's, if the op is the user's. */
  readonly caller: SourceLine | undefined;
}

export function siteOf(entry: Entry, position: number): Site {
  const { declaration, inputs, output, place, stack } = entry;
  const [line, caller] = stack === undefined ? [] : linesOf(stack);
  return {
    op: declaration.name,
    entry: position,
    shapes: `${inputs.map(({ shape }) => format(shape)).join(" ")} -> ${format(output.shape)}`,
    t: stepOf(place),
    place: pathOf(place),
    line,
    caller,
  };
}

/** `tanh [2,3] -> [2,3] (entry 7), time step 3, in encoder, at cell.ts:12:5`. */
export function describeSite({ op, entry, shapes, t, place, line, caller }: Site): string {
  const words = ({ file, line, column }: SourceLine) => `${file}:${line}:${column}`;
  const parts = [`${op} ${shapes} (entry ${entry})`];
  if (t !== undefined) parts.push(`time step ${t}`);
  if (place !== "") parts.push(`in ${place}`);
  if (line !== undefined) {
    parts.push(`at ${words(line)}${caller === undefined ? "" : ` (called at ${words(caller)})`}`);
  }
  return parts.join(", ");
}

/** The position of an element as an index along each axis: `[1,0]`. */
export function indexOf(position: number, shape: readonly number[]): string {
  const index: number[] = [];
  let rest = position;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    index.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return `[${index.join(",")}]`;
}
