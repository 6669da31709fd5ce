import {
  createBackend,
  full,
  grad,
  scope,
  Tape,
  type Tensor,
  tensor,
  where,
  zeros,
} from "@chronograd/autodiff";
import type { Law } from "@chronograd/autodiff/testing";
import { crossEntropy, embedding, huber, linear } from "@chronograd/nn";
import type { Subject } from "./subject.ts";
import { Tally } from "./tally.ts";

function law(name: string, statement: string, measure: (tally: Tally) => void): Law {
  return {
    name,
    statement,
    bound: 0,
    measure() {
      const tally = new Tally();
      scope(() => measure(tally));
      return tally;
    },
  };
}

const options = law(
  "options",
  "an option that there is not, and what is no object, is refused by a sentence that names function and option",
  (tally) => {
    const x = zeros([2, 3]);
    const calls: Readonly<Record<string, (given: never) => unknown>> = {
      tensor: (given) => tensor([1], given),
      "zeros, ones, full": (given) => full([1], 1, given),
      sum: (given) => x.sum(0, given),
      mean: (given) => x.mean(0, given),
      std: (given) => x.std(0, given),
      norm: (given) => x.norm(0, given),
      cumsum: (given) => x.cumsum(0, given),
      matmul: (given) => x.matmul(x.transpose(), given),
      gather: (given) => x.gather([0], 0, given),
      sort: (given) => x.sort(0, given),
      crossEntropy: (given) => crossEntropy(x, [0, 1], given),
      grad: (given) => grad((z: Tensor) => z.sum(), given),
      Tape: (given) => new Tape(given),
      huber: (given) => huber(x, x, given),
      linear: (given) => linear({ input: 1, output: 1, ...(given as object) }),
      embedding: (given) => embedding({ input: 1, output: 1, ...(given as object) }),
    };
    for (const [name, call] of Object.entries(calls)) {
      const words = new RegExp(`^${name}: there is no option "keepdim"`);
      tally.throws(() => call({ keepdim: true } as never), words, `${name} with an unknown option`);
      if (["linear", "embedding"].includes(name)) continue;
      const refused = new RegExp(`^${name}: options must be an object`);
      tally.throws(() => call(true as never), refused, `${name} with a boolean`);
    }
  },
);

const texts = law(
  "texts",
  "a tensor as text shows its numbers; one that is gone or tracked says so, and a large one is cut short",
  (tally) => {
    const check = (x: Tensor | undefined, words: RegExp) => {
      const text = String(x);
      tally.check(words.test(text), () => `${text} is not like ${words}`);
    };
    const matrix = tensor([
      [1, 0.5],
      [-0.25, 12],
    ]);
    check(matrix, /^tensor\(\[\[ 1\.00, {2}0\.50\],\n {8}\[-0\.25, 12\.00\]\], float32 \[2,2\]\)$/);
    check(tensor([0.1, 0.3]), /^tensor\(\[0\.1, 0\.3\], float32 \[2\]\)$/);
    check(zeros([5000]), /^tensor\(\[0, 0, 0, \.\.\., 0, 0, 0\], float32 \[5000\]\)$/);
    check(new Tape().watch(tensor([1])).mul(2), /^tensor\(\[2\], float32 \[1\], on a tape\)$/);
    let gone: Tensor | undefined;
    scope(() => {
      gone = tensor([1]);
    });
    check(gone, /^Tensor float32 \[1\], gone: /);
  },
);

const refused = law(
  "refused calls",
  "a call that is refused leaves no bytes behind: neither the numbers that were to be operands, nor what was computed",
  (tally) => {
    const backend = createBackend();
    const x = zeros([3], { backend });
    const wrong = zeros([2], { backend });
    const calls: readonly (readonly [what: string, call: () => unknown])[] = [
      ["a shape that does not broadcast", () => where(x, -0, wrong)],
      ["a text beside a number", () => where(x, -0, "text" as never)],
      ["a number that int32 does not hold", () => x.cast("int32").add(0.5)],
    ];
    for (const [what, call] of calls) {
      const attempt = () =>
        scope(() => {
          tally.throws(call, /^\w+: /, what);
        });
      attempt();
      const { bytesInUse } = backend.memory;
      for (let i = 0; i < 3; i++) attempt();
      tally.number(backend.memory.bytesInUse, bytesInUse, () => `${what}: bytes in use`);
    }
  },
);

/** What the library takes and gives besides numbers: options, texts, refusals. */
export function creationSubjects(): Subject[] {
  return [{ name: "creation", group: "creation", laws: [options, texts, refused] }];
}
