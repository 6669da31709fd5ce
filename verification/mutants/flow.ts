import { inFile, type Mutant } from "./mutant.ts";

const bands = inFile("packages/rnn/src/flow/bands.ts", [
  {
    name: "bias: a window reaches one step further",
    kind: "off by one in time",
    find: "end - t < k2",
    replace: "end - t <= k2",
  },
  {
    name: "bias: what no window reaches is left out",
    kind: "lost gradient",
    find: "const sum = vectors[band]!;",
    replace: "if (band === k2s.length) return;\n        const sum = vectors[band]!;",
  },
]);

const adaptiveWindows = inFile("packages/rnn/src/truncated/estimators/estimator.ts", [
  {
    name: "adaptive: all kept steps are swept",
    kind: "cut in the wrong place",
    find: "adaptive?.next(k1) ?? settings.k2",
    replace: "settings.k2",
  },
]);

export const flow: readonly Mutant[] = [...bands, ...adaptiveWindows];
