// The seven regular languages of Tomita 1982, all at once: at every step, to which of them the
// string so far belongs.
import { bits } from "./kinds.ts";
import { emptyBatch, type Task } from "./task.ts";

/** A finite automaton on 0 and 1 that starts in state 0. */
export interface Automaton {
  /** `next[state][symbol]` */
  readonly next: readonly (readonly [number, number])[];
  /** States in which the string so far belongs to the language. */
  readonly accepts: readonly number[];
}

/** In the order of Tomita's table, whose words are beside each. */
export const languages: readonly Automaton[] = [
  // 1*
  {
    next: [
      [1, 0],
      [1, 1],
    ],
    accepts: [0],
  },
  // (10)*
  {
    next: [
      [2, 1],
      [0, 2],
      [2, 2],
    ],
    accepts: [0],
  },
  // No odd run of zeros after an odd run of ones. States: even ones; odd ones; after an even run of
  // ones, zeros; after an odd one, an odd and an even number of zeros; refused.
  {
    next: [
      [2, 1],
      [3, 0],
      [2, 1],
      [4, 5],
      [3, 1],
      [5, 5],
    ],
    accepts: [0, 1, 2, 4],
  },
  // No 000.
  {
    next: [
      [1, 0],
      [2, 0],
      [3, 0],
      [3, 3],
    ],
    accepts: [0, 1, 2],
  },
  // An even number of zeros and an even number of ones.
  {
    next: [
      [1, 2],
      [0, 3],
      [3, 0],
      [2, 1],
    ],
    accepts: [0],
  },
  // As many zeros as ones, modulo 3.
  {
    next: [
      [1, 2],
      [2, 0],
      [0, 1],
    ],
    accepts: [0],
  },
  // 0*1*0*1*
  {
    next: [
      [0, 1],
      [2, 1],
      [2, 3],
      [4, 3],
      [4, 4],
    ],
    accepts: [0, 1, 2, 3],
  },
];

/** Of a string's symbols, those that leave its language keep it from ever coming back. */
const isLost = ({ next, accepts }: Automaton, state: number): boolean =>
  next[state]!.every((to) => to === state) && !accepts.includes(state);

/** How likely 1 is as the next symbol of a string that is to stay in a language for long. */
function probabilityOfOne(language: Automaton, state: number): number {
  const [zero, one] = language.next[state]!.map((to) => isLost(language, to)) as [boolean, boolean];
  // A symbol that loses the language comes in one of 20 steps.
  if (zero === one) return 1 / 2;
  return zero ? 19 / 20 : 1 / 20;
}

/**
 * Rows take the languages in turn: a string is drawn to stay in the language of its row for long,
 * and judged by all seven.
 */
export function tomita(steps: number): Task {
  const sizes = {
    steps,
    inputs: 2,
    outputs: languages.length,
    targets: languages.length,
    answers: steps,
  };
  return {
    ...sizes,
    kind: bits,
    baseline: constantAccuracy(steps),
    draw(draws, rows) {
      const batch = emptyBatch(sizes, rows);
      const { inputs, targets, weights } = batch;
      weights.fill(1);
      for (let row = 0; row < rows; row++) {
        const own = row % languages.length;
        const states = languages.map(() => 0);
        for (let t = 0; t < steps; t++) {
          const isOne = draws.uniform() < probabilityOfOne(languages[own]!, states[own]!);
          const at = t * rows + row;
          inputs[at * 2 + (isOne ? 1 : 0)] = 1;
          for (const [k, { next, accepts }] of languages.entries()) {
            states[k] = next[states[k]!]![isOne ? 1 : 0];
            targets[at * languages.length + k] = accepts.includes(states[k]!) ? 1 : 0;
          }
        }
      }
      return batch;
    },
  };
}

/**
 * What the best constant answer for each language reaches: from the distribution of the pair of
 * states of the language that a string is drawn for and of the one that judges it.
 */
function constantAccuracy(steps: number): number {
  const accuracies = languages.map((judge) => {
    let accepted = 0;
    for (const drawn of languages) {
      let now = new Map([["0 0", { drawnState: 0, state: 0, probability: 1 }]]);
      for (let t = 0; t < steps; t++) {
        const after: typeof now = new Map();
        for (const { drawnState, state, probability } of now.values()) {
          const one = probabilityOfOne(drawn, drawnState);
          for (const [symbol, p] of [1 - one, one].entries()) {
            const pair = {
              drawnState: drawn.next[drawnState]![symbol]!,
              state: judge.next[state]![symbol]!,
            };
            const key = `${pair.drawnState} ${pair.state}`;
            const sum = (after.get(key)?.probability ?? 0) + p * probability;
            after.set(key, { ...pair, probability: sum });
          }
        }
        now = after;
        for (const { state, probability } of now.values()) {
          if (judge.accepts.includes(state)) accepted += probability;
        }
      }
    }
    const rate = accepted / (steps * languages.length);
    return Math.max(rate, 1 - rate);
  });
  return accuracies.reduce((a, b) => a + b, 0) / languages.length;
}
