/**
 * What `unroll` throws where `compile` or `memory` is given, and the steps of the model cannot run
 * as a loop. Without both options they run.
 *
 * @example
 * ```ts
 * import { tensor, type Tensor } from "@chronograd/autodiff";
 * import { defineCell, NotLoopable, unroll } from "@chronograd/rnn";
 * import { init } from "@chronograd/nn";
 *
 * // The step reads a number, so a plan of it would be right for that number alone.
 * const reading = defineCell({
 *   params: () => ({}),
 *   state: () => ({ h: init.zeros(1) }),
 *   step: (_: object, x: Tensor, { h }: { h: Tensor }) => {
 *     const next = x.sum().item() > 0 ? h.add(x) : h;
 *     return [next, { h: next }];
 *   },
 * })({ input: 1, hidden: 1 });
 * const inputs = tensor([1, -2, 3], { shape: [3, 1, 1] });
 * const run = (compile: boolean) => unroll(reading, {}, inputs, { compile }).state.h.toArray();
 * let refused = false;
 * try {
 *   run(true);
 * } catch (error) {
 *   refused = error instanceof NotLoopable;
 * }
 * [refused, run(false)]; // => [true, [[4]]]
 * ```
 */
export class NotLoopable extends TypeError {}
