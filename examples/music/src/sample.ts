import { scope, tensor } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import { initialState } from "@chronograd/rnn";
import { type Chorale, keys, lowestKey } from "./chorales.ts";
import type { ChoraleModel, Params } from "./model.ts";

/** A model that plays in `rows` rows: given the last chords, the probabilities of the next keys. */
function player(model: ChoraleModel, params: Params, rows: number, temperature: number) {
  let state = initialState(model.cell, rows);
  return {
    next(chords: Float32Array): Float32Array {
      let probabilities = new Float32Array();
      state = scope(() => {
        const x = tensor(chords, { shape: [rows, keys] });
        const [h, after] = model.cell.step(params.cell, x, state);
        const logits = model.head.apply(params.head, h).div(temperature);
        probabilities = Float32Array.from(logits.sigmoid().toTypedArray());
        return after;
      });
      return probabilities;
    },
    /** Goes on with these rows, some of them more than once. */
    choose(parents: readonly number[]) {
      state = scope(() => ({ h: state.h.gather(parents), c: state.c.gather(parents) }));
    },
  };
}

const pitchesOf = (row: Float32Array) =>
  [...row.keys()].filter((key) => row[key] === 1).map((key) => key + lowestKey);

/** A new chorale: each key of each chord is drawn with the model's probability. */
export function compose(
  model: ChoraleModel,
  params: Params,
  random: Rng,
  { steps, temperature }: { steps: number; temperature: number },
): Chorale {
  const play = player(model, params, 1, temperature);
  let chord = new Float32Array(keys);
  return Array.from({ length: steps }, () => {
    chord = play.next(chord).map((p) => (random.uniform() < p ? 1 : 0));
    return pitchesOf(chord);
  });
}

/**
 * Three voices below a soprano, by a particle filter (Gordon, Salmond & Smith 1993): many chorales
 * are played at once, with the soprano's key on, those above it off, and those below it drawn. A
 * chorale's weight is multiplied by the probability of what was not drawn, so that the weighted
 * chorales are draws from the model given that the highest notes are the soprano; whenever the
 * weights of few outweigh the others, chorales are drawn anew by weight.
 *
 * @param soprano a pitch for each step, `undefined` for a rest
 * @returns of the chorales at the end the most probable one
 */
export function harmonise(
  model: ChoraleModel,
  params: Params,
  soprano: readonly (number | undefined)[],
  random: Rng,
  { particles, temperature }: { particles: number; temperature: number },
): Chorale {
  const play = player(model, params, particles, temperature);
  let chords = new Float32Array(particles * keys);
  let pieces = Array.from({ length: particles }, () => ({
    chords: [] as number[][],
    logWeight: 0,
    logProbability: 0,
  }));
  for (const pitch of soprano) {
    const probabilities = play.next(chords);
    const highest = pitch === undefined ? -1 : pitch - lowestKey;
    chords = probabilities.map((p, i) => {
      const key = i % keys;
      return key === highest || (key < highest && random.uniform() < p) ? 1 : 0;
    });
    pieces = pieces.map((piece, row) => {
      const [from, to] = [row * keys, (row + 1) * keys];
      const logs = probabilities
        .slice(from, to)
        .map((p, key) => Math.log(Math.max(1e-30, chords[from + key] === 1 ? p : 1 - p)));
      const sum = (values: Float32Array) => values.reduce((a, b) => a + b, 0);
      return {
        chords: [...piece.chords, pitchesOf(chords.slice(from, to))],
        logWeight: piece.logWeight + sum(logs.slice(Math.max(0, highest))),
        logProbability: piece.logProbability + sum(logs),
      };
    });
    const heaviest = Math.max(...pieces.map(({ logWeight }) => logWeight));
    const weights = pieces.map(({ logWeight }) => Math.exp(logWeight - heaviest));
    const total = weights.reduce((a, b) => a + b, 0);
    // The effective number of particles (Kong, Liu & Wong 1994).
    if (total ** 2 / weights.reduce((a, w) => a + w * w, 0) > particles / 2) continue;
    const parents = resampled(weights, total, random);
    play.choose(parents);
    chords = Float32Array.from(
      parents.flatMap((row) => [...chords.slice(row * keys, (row + 1) * keys)]),
    );
    pieces = parents.map((row) => ({ ...pieces[row]!, logWeight: 0 }));
  }
  const best = pieces.reduce((a, b) => (b.logProbability > a.logProbability ? b : a));
  return best.chords;
}

/**
 * As many rows, each as often as its weight says, up to one (systematic: Carpenter et al. 1999).
 */
function resampled(weights: readonly number[], total: number, random: Rng): number[] {
  const offset = random.uniform();
  let [row, sum] = [0, weights[0]!];
  return weights.map((_, i) => {
    const at = ((i + offset) / weights.length) * total;
    while (sum < at && row < weights.length - 1) sum += weights[++row]!;
    return row;
  });
}
