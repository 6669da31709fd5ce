/** A ratio that is aimed at. */
export interface Goal {
  /** The key of the ratio; with a `*`, every ratio that fits. */
  readonly ratio: string;
  readonly least: number;
}

/** What became of it. */
export interface Reached {
  readonly ratio: string;
  readonly goal: number;
  readonly measured: number | null;
  readonly state: "reached" | "missed" | "not measured";
}

const bySize = (what: string, goals: Readonly<Record<string, number>>): Goal[] =>
  Object.entries(goals).map(([size, least]) => ({ ratio: `lstm-${size}/${what}`, least }));
const minibatches = (what: string, least: number): Goal[] =>
  ["T28", "T784"].map((size) => ({ ratio: `minibatch-lstm-${size}/${what}`, least }));

/** Goals on two cores of a quiet machine, every other system at its best. */
export const goals: readonly Goal[] = [
  ...bySize("threads-2-vs-1", { "128x32": 1.8, "256x32": 1.85, "512x64": 1.9 }),
  ...bySize("pytorch-best", { "32x1": 8, "128x32": 2, "256x32": 2, "512x64": 2.5 }),
  ...bySize("wasm-only-vs-pytorch-best", {
    ...{ "32x1": 6, "128x32": 0.85, "256x32": 0.75, "512x64": 0.8 },
  }),
  ...minibatches("pytorch-best", 1.5),
  ...minibatches("wasm-only-vs-pytorch-best", 0.6),
  { ratio: "*/jax", least: 2 },
  { ratio: "start/pytorch-best", least: 1.3 },
  { ratio: "start/wasm-only-vs-pytorch-best", least: 0.7 },
  { ratio: "ranks-256x32/ranks-2-vs-1", least: 1.8 },
];

/** Every goal beside what was measured. */
export function reachedOf(
  ratios: Readonly<Record<string, number>>,
  all: readonly Goal[] = goals,
): Reached[] {
  return all.flatMap(({ ratio, least }): Reached[] => {
    const suffix = ratio.startsWith("*") ? ratio.slice(1) : undefined;
    const keys = Object.keys(ratios).filter((key) =>
      suffix === undefined ? key === ratio : key.endsWith(suffix),
    );
    if (keys.length === 0) {
      return [{ ratio, goal: least, measured: null, state: "not measured" }];
    }
    return keys.map((key) => {
      const measured = ratios[key]!;
      return { ratio: key, goal: least, measured, state: measured >= least ? "reached" : "missed" };
    });
  });
}

/** The goals as lines, and how many were reached. */
export function goalLines(reached: readonly Reached[]): string[] {
  const count = (state: Reached["state"]): number =>
    reached.filter((goal) => goal.state === state).length;
  return [
    ...reached.map(
      ({ ratio, goal, measured, state }) =>
        `${ratio.padEnd(44)} ${String(measured ?? "-").padStart(6)}  goal ${String(goal).padEnd(5)} ${state}`,
    ),
    `${count("reached")} goals reached, ${count("missed")} missed, ${count("not measured")} not measured`,
  ];
}
