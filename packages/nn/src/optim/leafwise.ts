import { type MapTree, map, type Tensor } from "@chronograd/autodiff";
import { allocate, consume, kernelsOf, place } from "@chronograd/autodiff/extend";
import { Clipped } from "../clip/clipped.ts";
import { Moments } from "./moments.ts";
import type { Optimizer, OptimizerState } from "./optimizer.ts";
import { type Pair, pair } from "./pairing.ts";
import { checkLearningRate, type Rule, type Update } from "./rule.ts";

/** The optimizer of a rule: the rule runs over each parameter. */
export function leafwise<Moment extends string>(rule: Rule<Moment>): Optimizer {
  checkLearningRate(rule.learningRate, rule.name);
  return new Leafwise(rule);
}

class Leafwise implements Optimizer {
  readonly #rule: Rule;
  readonly #moments: Moments;
  #step = 0;

  constructor(rule: Rule) {
    this.#rule = rule;
    this.#moments = new Moments(rule.moments);
  }

  get step(): number {
    return this.#step;
  }

  get learningRate(): number {
    const { learningRate, name } = this.#rule;
    if (typeof learningRate === "number") return learningRate;
    const rate = learningRate(this.#step);
    if (Number.isFinite(rate) && rate >= 0) return rate;
    throw new RangeError(
      `${name}: the schedule gave a learning rate of ${String(rate)} at step ${this.#step}, expected a finite number of at least 0`,
    );
  }

  update<P>(
    params: P,
    gradients: MapTree<P, Tensor> | Clipped<MapTree<P, Tensor>>,
  ): MapTree<P, Tensor> {
    const where = `${this.#rule.name}.update`;
    const rate = this.learningRate;
    const pairs = pair(
      params,
      gradients instanceof Clipped ? gradients.gradients : gradients,
      where,
    );
    this.#moments.prepare(pairs, this.#rule.start ?? 0, where);
    const successors = new Map<Tensor, Tensor>();
    for (const { w } of pairs) successors.set(w, place(allocate(w.backend, w.shape, w.dtype)));
    this.#step++;
    for (const each of pairs) this.#advance(each, successors.get(each.w)!, rate);
    const result = map(params, (w: Tensor) => successors.get(w) ?? w);
    for (const [w, next] of successors) consume(w, next, "optimizer.update");
    return result;
  }

  #advance({ path, w, g }: Pair, next: Tensor, rate: number): void {
    const update: Record<string, number> = {
      n: w.size,
      w: w.pointer,
      g: g.pointer,
      next: next.pointer,
    };
    for (const name of this.#rule.moments) update[name] = this.#moments.pointer(path, name);
    this.#rule.advance(kernelsOf(w.backend, w), update as Update, rate, this.#step);
  }

  state(): OptimizerState {
    return { optimizer: this.#rule.name, step: this.#step, moments: this.#moments.copies() };
  }

  load({ optimizer, step, moments }: OptimizerState): void {
    const { name } = this.#rule;
    if (optimizer !== name) {
      throw new TypeError(
        `${name}.load: the state is that of ${String(optimizer)}; make that optimizer, with its options`,
      );
    }
    if (!Number.isSafeInteger(step) || step < 0) {
      throw new RangeError(
        `${name}.load: step must be a whole number of at least 0, got ${String(step)}`,
      );
    }
    this.#moments.load(moments, `${name}.load`);
    this.#step = step;
  }

  reset(): void {
    this.#moments.clear();
    this.#step = 0;
  }
}
