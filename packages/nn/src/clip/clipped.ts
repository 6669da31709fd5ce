/** Gradients after clipping, and what they were like before. `optimizer.update` takes it in place of gradients. */
export class Clipped<T> {
  readonly gradients: T;
  /** The global norm before clipping; 2-norm unless another order was asked for. */
  readonly norm: number;
  /** Whether any gradient was changed. */
  readonly clipped: boolean;

  /** @internal */
  constructor(gradients: T, norm: number, clipped: boolean) {
    this.gradients = gradients;
    this.norm = norm;
    this.clipped = clipped;
  }
}
