import { escapeHtml } from "../report/escape.ts";
import { isState, keyOf, nameOfState } from "./columns.ts";
import { cutRoom, type Frame, fix, laneGap, subscript } from "./frame.ts";
import type { RecordedSteps } from "./record.ts";

/** Where a value of the state leaves the step that made it. */
interface Source {
  readonly x: number;
  readonly y: number;
}

/**
 * What goes on in time: from the right of the box that made a part of the state, through a lane of
 * the gutter, to the left of each box of the next step that reads it.
 *
 * @param cuts the steps after which a gradient stops
 */
export function stateEdges(
  recorded: RecordedSteps,
  frame: Frame,
  cuts: ReadonlySet<number>,
): string[] {
  const { steps, states } = recorded;
  return steps.flatMap((entries, i) => {
    const names = states[i]!;
    return names.flatMap(([path, origin], lane) => {
      const source = sourceOf(recorded, frame, i, lane);
      const laneX = frame.gutters[i]! + cutRoom + (lane + 1) * laneGap;
      const name = `${nameOfState(path)}${subscript(i)}`;
      const readers = entries.filter(({ inputs }) =>
        inputs.some((input) =>
          typeof input === "number" ? input === origin : isSame(input?.leaf, origin),
        ),
      );
      const { layout, boxes } = frame.columns[i]!;
      const paths = readers.map(({ position }) => {
        const { x, rank } = layout.at.get(keyOf(position))!;
        const { width } = boxes.find(({ key }) => key === keyOf(position))!;
        return orthogonal(source, laneX, {
          x: frame.lefts[i]! + x - width / 2 - 1,
          y: frame.y(rank),
        });
      });
      const nameX = i === 0 ? source.x - 4 : frame.gutters[i]! + cutRoom / 2 - 6;
      const label = `<text class="name" text-anchor="end" x="${fix(nameX)}" y="${fix(source.y - 6)}">${escapeHtml(name)}</text>`;
      return [
        ...paths.map((d) => `<path class="halo" d="${d}"/>`),
        ...paths.map((d) => `<path class="state" marker-end="url(#stateTip)" d="${d}"/>`),
        ...(paths.length > 0 ? [label] : []),
        ...(paths.length > 0 && cuts.has(i)
          ? [crossAt(frame.gutters[i]! + cutRoom / 2 + 2, source.y)]
          : []),
      ];
    });
  });
}

/** A cross where a cut takes a value as a constant. */
const crossAt = (x: number, y: number): string =>
  `<path class="cross" d="M${fix(x - 5)} ${fix(y - 5)} l10 10 m0 -10 l-10 10"/>`;

/** Whether an input is the part of the state with this origin. */
function isSame(leaf: string | undefined, origin: unknown): boolean {
  return leaf !== undefined && isState(leaf) && (origin as { leaf?: string } | null)?.leaf === leaf;
}

/** Where a part of the state after step `i` comes from; before the first step, the left edge. */
function sourceOf({ states }: RecordedSteps, frame: Frame, i: number, lane: number): Source {
  const [, origin] = states[i]![lane]!;
  if (i > 0 && typeof origin === "number") {
    const { layout, boxes } = frame.columns[i - 1]!;
    const place = layout.at.get(keyOf(origin));
    const box = boxes.find(({ key }) => key === keyOf(origin));
    if (place !== undefined && box !== undefined) {
      return { x: frame.lefts[i - 1]! + place.x + box.width / 2, y: frame.y(place.rank) };
    }
  }
  // At the height at which it will leave the first step.
  const [, next] = states[1]?.[lane] ?? [];
  const made = typeof next === "number" ? frame.columns[0]!.layout.at.get(keyOf(next)) : undefined;
  const rank = made?.rank ?? lane;
  return { x: frame.gutters[i]! + (i === 0 ? cutRoom / 2 : 0), y: frame.y(rank) };
}

/** Right, along the lane, and right again, with round corners. */
function orthogonal(from: Source, laneX: number, to: Source): string {
  const fall = to.y - from.y;
  const radius = Math.min(8, Math.abs(fall) / 2);
  const turn = Math.sign(fall) * radius;
  if (Math.abs(fall) < 1) return `M${fix(from.x)} ${fix(from.y)} H${fix(to.x)}`;
  return [
    `M${fix(from.x)} ${fix(from.y)} H${fix(laneX - radius)}`,
    `Q${fix(laneX)} ${fix(from.y)} ${fix(laneX)} ${fix(from.y + turn)}`,
    `V${fix(to.y - turn)}`,
    `Q${fix(laneX)} ${fix(to.y)} ${fix(laneX + radius)} ${fix(to.y)} H${fix(to.x)}`,
  ].join(" ");
}
