/**
 * What `@chronograd/nn` and `@chronograd/rnn` need of the core: it may change with every version.
 *
 * @packageDocumentation
 */
import "./ops/fluent.ts";

export { crossEntropy } from "./ops/loss.ts";
