import { scope, type Tensor, tree } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { type AdaptiveWindow, truncated } from "@chronograd/rnn";
import { adaptive, truncationBias } from "@chronograd/rnn/flow";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";
import { between, type Problem, problem } from "./truncation/problem.ts";

/** The gradients of all windows with frozen weights, each as one list of numbers. */
function windows(
  { model, params, steps, loss, state, k1 }: Problem,
  k2: number | AdaptiveWindow,
): { readonly start: number; readonly gradient: number[] }[] {
  const stream = truncated(model, params, steps, { k1, k2, loss, state });
  return Array.from(stream, ({ start, gradients }) => {
    const gradient = tree.leaves(gradients).flatMap((x) => [...(x as Tensor).toTypedArray()]);
    return { start, gradient };
  });
}

function sumOf(lists: readonly (readonly number[])[]): number[] {
  return lists[0]!.map((_, i) => lists.reduce((sum, list) => sum + list[i]!, 0));
}

const norm = (list: readonly number[]) => Math.hypot(...list);

const exact: Law = {
  name: "truncation bias",
  statement:
    "cosine, relative error and ratio of norms are those of the sum of all windows and of full back-propagation, for several k2 at once",
  bound: 1e-10,
  measure(seed) {
    const tally = new Tally();
    const p = problem(seed);
    const { model, params, steps, loss, state, k1, T } = p;
    if (steps.every(({ target }) => target.toTypedArray()[0] === 0)) return undefined;
    scope(() => {
      const all = { k1, k2: [p.k2, k1, k1 + between(p.random, 0, 9)], loss, state };
      const full = sumOf(windows(p, T + k1).map(({ gradient }) => gradient));
      for (const { k2, all: found } of truncationBias(model, params, steps, all).biases) {
        const part = sumOf(windows(p, k2).map(({ gradient }) => gradient));
        const error = part.map((x, i) => x - full[i]!);
        const dot = part.reduce((sum, x, i) => sum + x * full[i]!, 0);
        const expected = {
          cosine: dot / norm(part) / norm(full),
          relativeError: norm(error) / norm(full),
          normRatio: norm(part) / norm(full),
        };
        for (const [name, value] of Object.entries(expected)) {
          const own = found[name as keyof typeof expected].value ?? Number.NaN;
          tally.number(own, value, () => `${name} with k1 ${k1}, k2 ${k2}, T ${T}`);
        }
      }
    });
    return tally;
  },
};

const chosen: Law = {
  name: "adaptive window",
  statement:
    "each window of an adaptive k2 is that of a stream with the k2 that was chosen, bit by bit, whether or not it is measured",
  bound: 0,
  measure(seed) {
    const tally = new Tally();
    const p = problem(seed);
    scope(() => {
      const most = p.k2;
      const every = between(p.random, 1, 3);
      const tolerance = p.random.uniform() * 0.9 + 0.05;
      const k2 = adaptive({ tolerance, most, every });
      const lengths: number[] = [];
      const next = (k1: number) => {
        lengths.push(k2.next(k1));
        return lengths.at(-1)!;
      };
      for (const [j, { start, gradient }] of windows(p, { ...k2, next }).entries()) {
        const where = `window ${j} with k2 ${lengths[j]}`;
        const plain = windows(p, lengths[j]!)[j]!;
        tally.check(start === plain.start, () => `${where} begins after ${start}`);
        tally.bits(gradient, plain.gradient, where);
      }
    });
    return tally;
  },
};

/** What a truncation costs, and a window that adapts to it. */
export function biasSubject(): Subject {
  return { name: "truncation bias", group: "gradient flow", laws: [exact, chosen] };
}
