import { type Tensor, tensor } from "@chronograd/autodiff";
import { crossEntropy, type Rng } from "@chronograd/nn";
import type { TimeStep } from "@chronograd/rnn";
import { generate } from "@chronograd/rnn/decode";
import { escapeHtml } from "../../report.ts";
import { heldOutLoss } from "../../training/evaluate.ts";
import type {
  Evaluation,
  Findings,
  HeldOut,
  Interface,
  Task,
  Trained,
} from "../../training/task.ts";
import { lanes, lanesOnce } from "../lanes.ts";
import { type Corpus, loadCorpus } from "./corpus.ts";

/** What the task of a text is made of. */
export interface TextOptions {
  readonly text?: string | undefined;
  readonly batch: number;
  readonly temperature: number;
}

/** What a run on a text keeps for those who use its model. */
export interface TextKept {
  readonly task: "text";
  readonly characters: readonly string[];
}

const loss = (logits: Tensor, target: Tensor) =>
  crossEntropy(logits, target, { reduction: "none" });

/** The next character of a text is predicted. */
export function textTask({ text, ...options }: TextOptions, kept?: TextKept): Task {
  return corpusTask(loadCorpus(text, options.batch, kept?.characters), options);
}

/** The next character of a corpus is predicted. */
export function corpusTask(
  corpus: Corpus,
  { batch, temperature }: Omit<TextOptions, "text">,
): Task {
  const { source, characters, digest, training, heldOut } = corpus;
  const size = (training.length + heldOut.length).toLocaleString("en");
  return {
    title: source,
    description: `${source}: ${size} characters, ${characters.length} distinct`,
    digest,
    interface: textInterface(characters),
    hidden: 256,
    unit: "nats per character",
    tokens: "characters",
    stream: (position) => read(training, batch, position),
    loss,
    estimate: estimateOf(heldOut),
    heldOut: (size) => stepsAt(heldOut, lanesOnce(heldOut.length, size)),
    kept: { task: "text", characters } satisfies TextKept,
    evaluate: (trained) => evaluate(corpus, trained),
    sample: (trained, random) => sample(characters, trained, random, temperature),
  };
}

/** What a model of an alphabet reads and puts out. */
export function textInterface({ length }: readonly string[]): Interface {
  return { input: { tokens: length }, output: length };
}

/** The time steps of a text that is read at `rows` places at once, without end. */
function read(codes: Int32Array, rows: number, position = 0): Generator<TimeStep> {
  return stepsAt(codes, lanes(codes.length, rows, position));
}

/** The time steps of a text at some positions. */
function* stepsAt(codes: Int32Array, positions: Iterable<readonly number[]>): Generator<TimeStep> {
  for (const at of positions) {
    yield {
      input: tensor(Int32Array.from(at, (i) => codes[i]!)),
      target: tensor(Int32Array.from(at, (i) => codes[i + 1]!)),
    };
  }
}

/** The time steps of a text from its first character to its last. */
function* wholly(codes: Int32Array): Generator<TimeStep> {
  for (let i = 0; i + 1 < codes.length; i++) {
    yield { input: tensor(codes.slice(i, i + 1)), target: tensor(codes.slice(i + 1, i + 2)) };
  }
}

/** A hundred characters at up to 64 places, of which the first half warms up the state. */
function estimateOf(codes: Int32Array): HeldOut {
  const rows = Math.max(1, Math.min(64, Math.floor(codes.length / 100)));
  const length = Math.min(100, Math.floor((codes.length - 1) / rows));
  return {
    *items() {
      let left = length;
      for (const step of read(codes, rows)) {
        if (left-- === 0) return;
        yield step;
      }
    },
    burnIn: length >> 1,
  };
}

/** Nats as bits. */
export const bits = (nats: number): number => nats / Math.LN2;

/** How surprising the characters of a text are to one who knows how often each of them comes. */
function unigramLoss({ training, heldOut, characters }: Corpus): number {
  const counts = new Float64Array(characters.length).fill(1);
  for (const code of training) counts[code]!++;
  const all = counts.reduce((sum, count) => sum + count, 0);
  const predicted = heldOut.subarray(1);
  let total = 0;
  for (const code of predicted) total -= Math.log(counts[code]! / all);
  return total / predicted.length;
}

/** The loss on all of the held-out text, in one pass from its first character to its last. */
function evaluate(corpus: Corpus, trained: Trained): Evaluation {
  const items = () => wholly(corpus.heldOut);
  const { loss: value } = heldOutLoss(trained, { items, burnIn: 0 }, loss);
  const baselines = { "frequencies of characters": unigramLoss(corpus) };
  return {
    loss: value,
    figures: [
      { what: "held-out loss", unit: "nats per character", value, better: "lower", baselines },
    ],
    lines: [
      `Held-out loss ${value.toFixed(3)} nats (${bits(value).toFixed(3)} bits) per character, over all ${corpus.heldOut.length.toLocaleString("en")} characters`,
    ],
    sections: [],
  };
}

/** A text that the model writes, after the end of a line. */
function sample(
  characters: readonly string[],
  { model, params }: Trained,
  random: Rng,
  temperature: number,
): Findings {
  const prompt = [Math.max(0, characters.indexOf("\n"))];
  let text = "";
  const options = { prompt, length: 600, temperature, rng: random };
  for (const [code] of generate(model as never, params, options)) text += characters[code!];
  const heading = `A sample at temperature ${temperature}`;
  return {
    lines: [`\n${heading}:\n\n${text}\n`],
    sections: [{ heading, html: `<pre>${escapeHtml(text)}</pre>` }],
  };
}
