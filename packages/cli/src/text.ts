/**
 * Texts as characters to be predicted, and the baseline that a network has to beat.
 *
 * @module
 */
/// <reference types="node" />
export { type Corpus, corpusOf, encode, loadCorpus } from "./tasks/text/corpus.ts";
export { corpusTask } from "./tasks/text/task.ts";
export { type NGram, type NGramOptions, nGram } from "./text/nGram.ts";
