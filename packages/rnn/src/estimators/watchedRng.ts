import { Rng } from "@chronograd/nn";

/** A generator that knows whether it, or one split from it, was asked for. */
export class WatchedRng extends Rng {
  isUsed = false;

  override bits(): number {
    this.isUsed = true;
    return super.bits();
  }

  override uniform(): number {
    this.isUsed = true;
    return super.uniform();
  }

  override normal(): number {
    this.isUsed = true;
    return super.normal();
  }

  override integer(low: number, high: number): number {
    this.isUsed = true;
    return super.integer(low, high);
  }

  override split(name: string): Rng {
    this.isUsed = true;
    return super.split(name);
  }
}
