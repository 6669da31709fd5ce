import { Tape, type Tensor } from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { type Rng, rng } from "@chronograd/nn";
import { lawOver } from "./lawOver.ts";
import type { Tally } from "./tally.ts";

/** How many random programs are drawn for each seed. */
const draws = 4;

/** A law that is measured on several random programs. */
export function law(
  name: string,
  statement: string,
  bound: number,
  measure: (random: Rng, tally: Tally) => void,
): Law {
  return lawOver(draws, name, statement, bound, (seed, tally) => measure(rng(seed, name), tally));
}

/** The gradients of `<u, f(inputs)>` by each input, on a separate tape. */
export function gradients(
  f: (...inputs: Tensor[]) => Tensor,
  inputs: readonly Tensor[],
  u: Tensor,
): Tensor[] {
  const tape = new Tape();
  const watched = tape.watch(inputs as Tensor[]) as Tensor[];
  return tape.gradient(f(...watched), watched, { cotangent: u }) as Tensor[];
}
