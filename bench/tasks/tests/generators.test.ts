import { rng } from "@chronograd/nn";
import { expect, test } from "vitest";
import { adding } from "../adding.ts";
import { copying } from "../copying.ts";
import { delayedXor } from "../delayedXor.ts";
import { dyck } from "../dyck.ts";
import { lagged } from "../lagged.ts";
import { parity } from "../parity.ts";
import type { Batch, Task } from "../task.ts";
import { tomita } from "../tomita.ts";

const rows = 280;

/** The sequences of a batch, each as its own lists. */
function sequences({ steps, inputs: I, targets: K }: Task, batch: Batch) {
  const times = Array.from({ length: steps }, (_, t) => t);
  const part = (all: Float32Array, width: number, t: number, row: number) =>
    Array.from(all.subarray((t * rows + row) * width, (t * rows + row + 1) * width));
  return Array.from({ length: rows }, (_, row) => ({
    inputs: times.map((t) => part(batch.inputs, I, t, row)),
    targets: times.map((t) => part(batch.targets, K, t, row)),
    weights: times.map((t) => batch.weights[t * rows + row]!),
  }));
}

const drawn = (task: Task) => sequences(task, task.draw(rng(3, "test"), rows));

/** How often something holds, and how far from its probability p that may be: 5 deviations. */
function expectRate(holds: readonly boolean[], p: number): void {
  const rate = holds.filter(Boolean).length / holds.length;
  expect(Math.abs(rate - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / holds.length));
}

const all: Readonly<Record<string, Task>> = {
  adding: adding(12),
  copying: copying(3, 5),
  delayedXor: delayedXor(2, 11),
  dyck: dyck(12),
  lagged: lagged(5, 9),
  parity: parity(9),
  tomita: tomita(12),
};

test.each(Object.entries(all))(
  "%s draws the same from the same seed, and answers as often as it says",
  (_, task) => {
    const batch = task.draw(rng(3, "test"), rows);
    expect(task.draw(rng(3, "test"), rows)).toEqual(batch);
    expect(task.draw(rng(4, "test"), rows)).not.toEqual(batch);
    for (const { weights } of sequences(task, batch)) {
      expect(weights.reduce((a, b) => a + b)).toBe(task.answers);
    }
  },
);

test("adding: the answer is the sum of two marked numbers, one in each half", () => {
  const task = adding(12);
  const answers = drawn(task).map(({ inputs, targets, weights }) => {
    const marked = inputs.flatMap(([, mark], t) => (mark === 1 ? [t] : []));
    expect(marked.map((t) => Math.floor(t / 6))).toEqual([0, 1]);
    expect(weights.lastIndexOf(1)).toBe(11);
    const sum = marked.reduce((a, t) => a + inputs[t]![0]!, 0);
    expect(targets[11]![0]).toBeCloseTo(sum, 6);
    return sum;
  });
  // The variance of a sum of two numbers uniform on [0, 1): 1/6. That of its square is 7/180.
  const mean = answers.reduce((a, y) => a + (y - 1) ** 2, 0) / rows;
  expect(Math.abs(mean - task.baseline)).toBeLessThan(5 * Math.sqrt(7 / 180 / rows));
  expect(task.baseline).toBeCloseTo(1 / 6, 15);
});

test("copying: what is asked for after the signal is what was shown", () => {
  const [length, delay] = [3, 5];
  const task = copying(length, delay);
  const shown = drawn(task).flatMap(({ inputs, targets, weights }) => {
    const codes = inputs.map((x) => x.indexOf(1));
    expect(codes.slice(length)).toEqual([8, 8, 8, 8, 9, 8, 8, 8]);
    const answers = targets.flatMap(([y], t) => (weights[t] === 1 ? [y] : []));
    expect(answers).toEqual(codes.slice(0, length));
    return codes.slice(0, length);
  });
  for (let symbol = 0; symbol < 8; symbol++)
    expectRate(
      shown.map((code) => code === symbol),
      1 / 8,
    );
  expect(task.baseline).toBeCloseTo(3 * Math.LN2, 15);
});

test("delayed exclusive or: of the bits d and 2 d steps ago", () => {
  const answers = drawn(delayedXor(2, 11)).flatMap(({ inputs, targets, weights }) =>
    targets.flatMap(([y], t) => {
      expect(weights[t]).toBe(t >= 4 ? 1 : 0);
      if (t < 4) return [];
      expect(y).toBe(inputs[t - 2]![0]! ^ inputs[t - 4]![0]!);
      return [y === 1];
    }),
  );
  expectRate(answers, 1 / 2);
});

test("parity: whether the ones so far are odd in number", () => {
  const answers = drawn(parity(9)).flatMap(({ inputs, targets }) =>
    targets.map(([y], t) => {
      const ones = inputs.slice(0, t + 1).filter(([x]) => x === 1).length;
      expect(y).toBe(ones % 2);
      return y === 1;
    }),
  );
  expectRate(answers, 1 / 2);
});

test("Dyck-1: a bracket may be closed where one is open; open ones are a reflected walk", () => {
  const task = dyck(12);
  const last = drawn(task).map(({ inputs, targets, weights }) => {
    let text = "";
    for (const [t, [x]] of inputs.entries()) {
      text += x === 1 ? "(" : ")";
      let rest = text;
      while (rest.includes("()")) rest = rest.replaceAll("()", "");
      expect(rest).not.toContain(")");
      expect(targets[t]![0]).toBe(rest === "" ? 0 : 1);
      expect(weights[t]).toBe(t % 2);
    }
    return targets[11]![0] === 0;
  });
  // C(12, 6) / 4^6, and over all even steps by sum over m <= M of C(2m, m) / 4^m = (2M + 1) C(2M,
  // M) / 4^M.
  expectRate(last, 924 / 4096);
  expect(task.baseline).toBeCloseTo(1 - ((13 * 924) / 4096 - 1) / 6, 12);
});

test("a lag: the bit at the mark is asked for at the question, and nowhere else", () => {
  const places = drawn(lagged(5, 9)).map(({ inputs, targets, weights }) => {
    const marked = inputs.findIndex((x) => x[1] === 1);
    expect(inputs.flatMap((x, t) => (x[1] === 1 ? [t] : []))).toEqual([marked]);
    expect(inputs.flatMap((x, t) => (x[2] === 1 ? [t] : []))).toEqual([marked + 5]);
    expect(weights.flatMap((w, t) => (w === 1 ? [t] : []))).toEqual([marked + 5]);
    expect(2 * targets[marked + 5]![0]! - 1).toBe(inputs[marked]![0]);
    return marked;
  });
  for (let t = 0; t < 4; t++)
    expectRate(
      places.map((place) => place === t),
      1 / 4,
    );
});

/** Tomita's languages in words, for strings of 0 and 1. */
const definitions: readonly ((text: string) => boolean)[] = [
  (text) => /^1*$/.test(text),
  (text) => /^(10)*$/.test(text),
  // No odd run of zeros straight after an odd run of ones.
  (text) => {
    const runs = text.match(/1+|0+/g) ?? [];
    return runs.every(
      (run, i) =>
        !run.startsWith("0") || run.length % 2 === 0 || i === 0 || runs[i - 1]!.length % 2 === 0,
    );
  },
  (text) => !text.includes("000"),
  (text) => /^((00|11)|(01|10)(00|11)*(01|10))*$/.test(text),
  (text) => Array.from(text).reduce((a, x) => a + (x === "1" ? 1 : -1), 0) % 3 === 0,
  (text) => /^0*1*0*1*$/.test(text),
];

test("Tomita: every beginning of a string is judged by all seven languages", () => {
  const task = tomita(12);
  const right = drawn(task).flatMap(({ inputs, targets }) => {
    let text = "";
    return inputs.map((x, t) => {
      text += x.indexOf(1);
      expect(targets[t], text).toEqual(definitions.map((holds) => (holds(text) ? 1 : 0)));
      return targets[t]!;
    });
  });
  // The better constant for each language, on average.
  const rates = definitions.map((_, k) => right.filter((y) => y[k] === 1).length / right.length);
  const constant = rates.map((p) => Math.max(p, 1 - p)).reduce((a, b) => a + b) / 7;
  expect(constant).toBeCloseTo(task.baseline, 1);
  expect(Math.abs(constant - task.baseline)).toBeLessThan(0.02);
});
