// `npm run bench:scan`: a sequence at once beside one step after another, as ratios of times in one
// run. Turns go round, each ratio is that of two medians.
import {
  linearRecurrence,
  scope,
  stack,
  Tape,
  type Tensor,
  tensor,
  zeros,
} from "@chronograd/autodiff";
import { rng } from "@chronograd/nn";
import { initialParams, lru, minGru, minLstm, unroll } from "@chronograd/rnn";
import { median, round } from "./statistics.ts";

const lengths = (process.argv[2] ?? "64,256,1024,4096").split(",").map(Number);
const [B, H] = [32, 128];
const sizes = { input: H, hidden: H };
const families = { minGru, minLstm, lru };

function noise(shape: readonly number[]): Tensor {
  const random = rng(1);
  const size = shape.reduce((x, y) => x * y, 1);
  return tensor(
    Float32Array.from({ length: size }, () => random.normal()),
    { shape },
  );
}

/** Milliseconds of each way, by turns. */
function times(ways: readonly (() => void)[], rounds: number): number[] {
  const all: number[][] = ways.map(() => []);
  for (let i = -1; i < rounds; i++) {
    for (const [k, way] of ways.entries()) {
      const started = performance.now();
      scope(way);
      if (i >= 0) all[k]!.push(performance.now() - started);
    }
  }
  return all.map(median);
}

function show(what: string, T: number, [steps, whole]: readonly number[]): void {
  const [a, b] = [steps!, whole!].map((ms) => `${round(ms, 3)} ms`.padStart(9));
  console.log(
    `${what.padEnd(34)} T ${String(T).padStart(4)}  by steps ${a}  at once ${b}  ${round(steps! / whole!, 3)} times as fast`,
  );
}

console.log(`${B} rows, ${H} inputs and hidden units, float32`);
for (const T of lengths) {
  const rounds = T > 1000 ? 3 : 7;
  const inputs = noise([T, B, H]);
  for (const [name, family] of Object.entries(families)) {
    const cell = (family as typeof minGru)(sizes);
    const params = initialParams(cell, rng(1));
    const forward = (parallel: boolean) => () => {
      unroll(cell, params, inputs, { parallel });
    };
    const both = (parallel: boolean) => () => {
      const tape = new Tape();
      const watched = tape.watch(params);
      tape.gradient(unroll(cell, watched, inputs, { parallel }).outputs.square().mean(), watched);
    };
    show(`${name}, forward`, T, times([forward(false), forward(true)], rounds));
    show(`${name}, forward and backward`, T, times([both(false), both(true)], rounds));
  }

  const [a, b, initial] = [noise([T, B, H]).sigmoid(), noise([T, B, H]), zeros([B, H])];
  const composed = (x: Tensor, y: Tensor): Tensor => {
    const states: Tensor[] = [];
    let h = initial;
    for (let t = 0; t < T; t++) {
      h = h.mul(x.slice([t])).add(y.slice([t]));
      states.push(h);
    }
    return stack(states);
  };
  const scanned = (x: Tensor, y: Tensor): Tensor => linearRecurrence(x, y, initial);
  const back = (f: typeof scanned) => () => {
    const tape = new Tape();
    const watched = tape.watch({ a, b });
    tape.gradient(f(watched.a, watched.b).sum(), watched);
  };
  const ways = [() => composed(a, b), () => scanned(a, b)].map((f) => () => void f());
  show("linearRecurrence, forward", T, times(ways, rounds));
  show("linearRecurrence, both", T, times([back(composed), back(scanned)], rounds));
}
