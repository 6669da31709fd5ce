import { scope, tensor } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import { initialState } from "@chronograd/rnn";
import { type Chorale, keys, lowestKey } from "./chorales.ts";
import type { ChoraleModel, Params } from "./model.ts";
import { drawVoices } from "./voices.ts";

/** How a model plays. */
export interface Playing {
  /** Divides the logits: below 1, what is probable becomes more so. */
  readonly temperature: number;
}

/** A chorale so far. */
interface Piece {
  readonly chords: readonly (readonly number[])[];
  readonly logProbability: number;
  readonly logWeight: number;
}

/** A model that plays in `rows` rows: given the last chords, the probabilities of the next keys. */
function player(model: ChoraleModel, params: Params, rows: number, { temperature }: Playing) {
  let state = initialState(model.cell, rows);
  return {
    next(chords: readonly (readonly number[])[]): Float64Array[] {
      const roll = new Float32Array(rows * keys);
      for (const [row, chord] of chords.entries()) {
        for (const pitch of chord) roll[row * keys + pitch - lowestKey] = 1;
      }
      const probabilities: Float64Array[] = [];
      state = scope(() => {
        const x = tensor(roll, { shape: [rows, keys] });
        const [h, after] = model.cell.step(params.cell, x, state);
        const logits = model.head.apply(params.head, h).div(temperature);
        const all = Float64Array.from(logits.toTypedArray(), (z) => 1 / (1 + Math.exp(-z)));
        for (let row = 0; row < rows; row++) {
          probabilities.push(all.slice(row * keys, (row + 1) * keys));
        }
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

/** A new chorale: four keys in each chord, drawn with the model's probabilities. */
export function compose(
  model: ChoraleModel,
  params: Params,
  random: Rng,
  { steps, ...playing }: Playing & { readonly steps: number },
): Chorale {
  const play = player(model, params, 1, playing);
  let chord: readonly number[] = [];
  return Array.from({ length: steps }, () => {
    const [probabilities] = play.next([chord]);
    chord = drawVoices(probabilities!, 4, random).drawn.map((key) => key + lowestKey);
    return chord;
  });
}

/**
 * Three voices below a soprano, by a particle filter (Gordon, Salmond & Smith 1993): many chorales
 * are played at once, with the soprano's key on, those above it off, and three of those below it
 * drawn. A chorale's weight is multiplied by the probability of what was not drawn, so that the
 * weighted chorales are draws from the model given its soprano and its number of voices; whenever
 * the weights of few outweigh the others, chorales are drawn anew by weight.
 *
 * @param soprano a pitch for each step, `undefined` for a rest of all voices
 * @returns of the chorales at the end the most probable one
 */
export function harmonise(
  model: ChoraleModel,
  params: Params,
  soprano: readonly (number | undefined)[],
  random: Rng,
  { particles, ...playing }: Playing & { readonly particles: number },
): Chorale {
  const play = player(model, params, particles, playing);
  const start: Piece = { chords: [], logProbability: 0, logWeight: 0 };
  let pieces: Piece[] = Array.from({ length: particles }, () => start);
  for (const pitch of soprano) {
    const probabilities = play.next(pieces.map(({ chords }) => chords.at(-1) ?? []));
    pieces = pieces.map((piece, row) => extended(piece, pitch, probabilities[row]!, random));
    const heaviest = Math.max(...pieces.map(({ logWeight }) => logWeight));
    const weights = pieces.map(({ logWeight }) => Math.exp(logWeight - heaviest));
    const total = weights.reduce((a, b) => a + b, 0);
    // The effective number of particles (Kong, Liu & Wong 1994).
    if (total ** 2 / weights.reduce((a, w) => a + w * w, 0) > particles / 2) continue;
    const parents = resampled(weights, total, random);
    play.choose(parents);
    pieces = parents.map((row) => ({ ...pieces[row]!, logWeight: 0 }));
  }
  return pieces.reduce((a, b) => (b.logProbability > a.logProbability ? b : a)).chords;
}

/** A chorale with one chord more, below a pitch. */
function extended(
  { chords, logProbability, logWeight }: Piece,
  pitch: number | undefined,
  probabilities: Float64Array,
  random: Rng,
): Piece {
  const log = (x: number) => Math.log(Math.max(1e-30, x));
  const highest = pitch === undefined ? -1 : pitch - lowestKey;
  const voices = Math.min(3, Math.max(0, highest));
  const below = drawVoices(probabilities.slice(0, Math.max(0, highest)), voices, random);
  const sounding = pitch === undefined ? [] : [...below.drawn, highest];
  let [given, all] = [below.logProbability, 0];
  for (const [key, p] of probabilities.entries()) {
    const own = log(sounding.includes(key) ? p : 1 - p);
    all += own;
    if (key >= highest) given += own;
  }
  return {
    chords: [...chords, sounding.map((key) => key + lowestKey)],
    logProbability: logProbability + all,
    logWeight: logWeight + given,
  };
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
