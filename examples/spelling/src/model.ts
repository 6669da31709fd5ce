// From the letters of a word to its phonemes: a convolution and a GRU in both directions read, an
// LSTM attends over what they make of each letter, and spells out the phonemes.
import { arange, type Tensor, tensor, where } from "@chronograd/autodiff";
import { dropout, embedding, init, initialize, linear, type Rng, rng } from "@chronograd/nn";
import {
  type AttentionContext,
  attentionCell,
  bidirectional,
  gru,
  initialState,
  unroll,
  type Values,
} from "@chronograd/rnn";

/** Sizes of a speller. */
export interface SpellerSizes {
  /** How many phonemes there are. */
  readonly phonemes: number;
  /** Units of the decoder, and twice those of each direction of the encoder. */
  readonly hidden: number;
  /** The share of values that are dropped in training. */
  readonly dropout: number;
}

/** Words as codes, padded: letters `[S, B]`, the phonemes before and after each step `[T, B]`. */
export interface Batch {
  readonly letters: Tensor;
  readonly letterCounts: readonly number[];
  readonly inputs: Tensor;
  readonly targets: Tensor;
  readonly lengths: readonly number[];
}

/** A speller: it has one more symbol than phonemes, `boundary`, which begins and ends words. */
export function speller({ phonemes, hidden, dropout: rate }: SpellerSizes) {
  const half = hidden >> 1;
  const letter = embedding({ input: 26, output: half });
  const encoder = bidirectional(gru({ input: half, hidden: half }));
  const phoneme = embedding({ input: phonemes + 1, output: half });
  const decoder = attentionCell({ input: half, hidden, context: 2 * half });
  const head = linear({ input: hidden, output: phonemes + 1 });
  const drop = dropout({ rate });
  const params = {
    letter: letter.params,
    convolution: { W: init.glorot(half, half, 5, 1), b: init.zeros(half) },
    encoder: encoder.params,
    phoneme: phoneme.params,
    decoder: decoder.params,
    head: head.params,
  };
  type Params = Values<typeof params>;

  /** What there is to attend over, from letters `[S, B]`; `random` drops some of it. */
  function encode(
    p: Params,
    given: Tensor,
    counts: readonly number[],
    random?: Rng,
  ): AttentionContext {
    // Plans are made for each S: multiples of four need few.
    const [longest, B] = given.shape as [number, number];
    const S = 4 * Math.ceil(longest / 4);
    const letters = given.pad([
      [0, S - longest],
      [0, 0],
    ]);
    const places = arange(0, S, 1, { dtype: "int32" }).reshape([S, 1]);
    const mask = places.less(tensor(Int32Array.from(counts)).reshape([1, B]));
    const x = where(mask.reshape([S, B, 1]), letter.apply(p.letter, letters), 0);
    // One image: its rows are the letters, its columns the words, and the kernel is 5 rows high.
    const seen = x
      .reshape([S * B, half])
      .transpose()
      .reshape([1, half, S, B])
      .conv2d(p.convolution.W, { padding: [2, 0] })
      .reshape([half, S * B])
      .transpose()
      .add(p.convolution.b)
      .relu()
      .reshape([S, B, half]);
    const inputs = drop.apply(x.add(seen), random);
    const { outputs } = unroll(encoder, p.encoder, inputs, { lengths: counts, compile: true });
    return { values: drop.apply(outputs.transpose([1, 0, 2]), random), mask: mask.transpose() };
  }

  /** Scores `[T, B, V]` of the phoneme after each of `inputs` `[T, B]`, and what they attend to. */
  function decode(p: Params, context: AttentionContext, inputs: Tensor, random?: Rng) {
    const x = drop.apply(phoneme.apply(p.phoneme, inputs), random);
    const { outputs } = unroll(decoder, p.decoder, x, { context, compile: true });
    const { output, weights } = outputs;
    return { logits: head.apply(p.head, drop.apply(output, random)), weights };
  }

  return {
    params,
    boundary: phonemes,
    encode,
    decode,
    initial: (seed: number): Params => initialize(params, rng(seed, "parameters")),
    start: (rows: number) => initialState(decoder, rows),
    /** One step of the decoder after the phonemes `tokens` `[N]`: what a search asks for. */
    step(
      p: Params,
      tokens: Tensor,
      state: Values<typeof decoder.state>,
      context: AttentionContext,
    ) {
      const x = phoneme.apply(p.phoneme, tokens);
      const [{ output }, next] = decoder.step(p.decoder, { x, context }, state);
      return [head.apply(p.head, output), next] as const;
    },
  };
}

export type Speller = ReturnType<typeof speller>;
export type Params = Values<Speller["params"]>;
