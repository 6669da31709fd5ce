import * as Plot from "@observablehq/plot";

/** Of the names in the legend. */
const lineHeight = 14;

/** For each time step the pitches that sound, as MIDI numbers; 60 is C4, the middle C. */
export type Steps = readonly (readonly number[])[];

/** A pitch that sounds from the beginning of one time step to that of another. */
export interface Note {
  readonly part: string;
  readonly pitch: number;
  readonly from: number;
  readonly to: number;
}

/** The notes of a part: a pitch in steps one after another is one note. */
export function notesOf(part: string, steps: Steps): Note[] {
  const notes: Note[] = [];
  const begun = new Map<number, number>();
  for (const [t, chord] of [...steps, []].entries()) {
    for (const [pitch, from] of begun) {
      if (chord.includes(pitch)) continue;
      notes.push({ part, pitch, from, to: t });
      begun.delete(pitch);
    }
    for (const pitch of chord) if (!begun.has(pitch)) begun.set(pitch, t);
  }
  return notes;
}

/**
 * A piano roll, time to the right and pitch upwards, as options of `figure`. Each part has a colour
 * and, if there are several, its name in the legend; later parts lie above earlier ones.
 *
 * @param parts the parts by name
 * @param options further options of the plot, such as `title` or `height`
 * @throws when no part has a note, and for a pitch that is no finite number
 *
 * @example
 * ```ts
 * import { figure, pianoRoll } from "chronograd/report";
 *
 * const [alto, soprano] = [[[64], [64], [62]], [[67], [69], [67]]];
 * const svg = figure(pianoRoll({ alto, soprano }));
 * svg.match(/<rect/g)?.length; // => 5
 * ```
 */
export function pianoRoll(
  parts: Readonly<Record<string, Steps>>,
  options: Plot.PlotOptions = {},
): Plot.PlotOptions {
  const notes = Object.entries(parts).flatMap(([part, steps]) => {
    checkPitches(part, steps);
    return notesOf(part, steps);
  });
  if (notes.length === 0) {
    throw new RangeError("pianoRoll: no part has a note; give each time step its pitches");
  }
  const names = Object.keys(parts);
  const pitches = notes.map(({ pitch }) => pitch);
  const [lowest, highest] = [Math.min(...pitches), Math.max(...pitches)];
  const octaves = Array.from({ length: 11 }, (_, i) => 12 * i).filter(
    (c) => c >= lowest - 1 && c <= highest + 1,
  );
  const end = Math.max(...Object.values(parts).map(({ length }) => length));
  return {
    x: { domain: [0, end], label: "time step", ticks: Math.min(end, 16) },
    y: {
      domain: [lowest - 1, highest + 1],
      ticks: octaves,
      tickFormat: (pitch: number) => `C${pitch / 12 - 1}`,
      label: "pitch",
      grid: true,
    },
    marginTop: 10 + (names.length === 1 ? 10 : lineHeight * names.length),
    color: { domain: names, range: names.length === 1 ? ["#1d4ed8"] : colours(names.length) },
    marks: [
      Plot.rect(notes, {
        x1: "from",
        x2: "to",
        y1: ({ pitch }: Note) => pitch - 0.5,
        y2: ({ pitch }: Note) => pitch + 0.5,
        fill: "part",
        insetRight: 0.5,
      }),
      ...(names.length === 1 ? [] : legend(names)),
    ],
    ...options,
  };
}

function checkPitches(part: string, steps: Steps): void {
  for (const [t, chord] of steps.entries()) {
    const wrong = chord.find((pitch) => !Number.isFinite(pitch));
    if (wrong === undefined) continue;
    throw new RangeError(
      `pianoRoll: "${part}", step ${t}: a pitch must be a finite number, got ${wrong}; 60 is the middle C, and a rest is []`,
    );
  }
}

/** Grey, blue and orange stay apart for readers who do not see red and green as two. */
function colours(count: number): string[] {
  return ["#9ca3af", "#1d4ed8", "#ea580c", "#7c3aed", "#0d9488", "#b45309"].slice(0, count);
}

/** The names of the parts above the frame, one below the other. */
function legend(names: readonly string[]): Plot.Markish[] {
  return names.map((name, i) =>
    Plot.text([name], {
      frameAnchor: "top-right",
      dy: -lineHeight * (names.length - i) + 2,
      fill: () => name,
      text: () => `■ ${name}`,
    }),
  );
}
