import type { Memory } from "../memory.ts";
import type { UpdateKernels } from "../update.ts";

/** Updates of parameters in float64 arithmetic, rounded once when stored; numbers are rounded to the dtype first. */
export function updates(memory: Memory, dtype: "float32" | "float64"): UpdateKernels {
  const size = dtype === "float32" ? 4 : 8;
  const round = dtype === "float32" ? Math.fround : (value: number) => value;
  const rounded = (...numbers: number[]) => numbers.map(round);
  const read = (pointer: number, i: number): number => memory.views[dtype][pointer / size + i]!;
  const write = (pointer: number, i: number, value: number): number => {
    memory.views[dtype][pointer / size + i] = value;
    return value;
  };
  const each = (n: number, f: (i: number) => void): void => {
    for (let i = 0; i < n; i++) f(i);
  };
  const gradient = (i: number, w: number, g: number, decay: number): number =>
    decay === 0 ? read(g, i) : decay * read(w, i) + read(g, i);

  return {
    sgd(n, w, g, momentum, ...numbers) {
      const [decay, beta, rest, nesterov, step] = rounded(...numbers.slice(0, -1));
      const next = numbers.at(-1)!;
      each(n, (i) => {
        let d = gradient(i, w, g, decay!);
        if (beta !== 0) {
          const moved = write(momentum, i, beta! * read(momentum, i) + rest! * d);
          d = nesterov === 1 ? beta! * moved + d : moved;
        }
        write(next, i, step! * d + read(w, i));
      });
    },
    adam(n, w, g, m, v, largest, ...numbers) {
      const [decay, shrink, beta1, rest1, beta2, rest2, amsgrad, correction, epsilon, step] =
        rounded(...numbers.slice(0, -1));
      const next = numbers.at(-1)!;
      each(n, (i) => {
        const d = gradient(i, w, g, decay!);
        const first = write(m, i, beta1! * read(m, i) + rest1! * d);
        let second = write(v, i, beta2! * read(v, i) + rest2! * (d * d));
        if (amsgrad === 1) second = write(largest, i, Math.max(read(largest, i), second));
        const quotient = first / (Math.sqrt(second) * correction! + epsilon!);
        write(next, i, shrink! * read(w, i) + step! * quotient);
      });
    },
    rmsprop(n, w, g, square, mean, momentum, ...numbers) {
      const [decay, smoothing, rest, centered, epsilon, beta, step] = rounded(
        ...numbers.slice(0, -1),
      );
      const next = numbers.at(-1)!;
      each(n, (i) => {
        const d = gradient(i, w, g, decay!);
        let spread = write(square, i, smoothing! * read(square, i) + rest! * (d * d));
        if (centered === 1) {
          const average = write(mean, i, smoothing! * read(mean, i) + rest! * d);
          spread -= average * average;
        }
        let direction = d / (Math.sqrt(spread) + epsilon!);
        if (beta !== 0) direction = write(momentum, i, beta! * read(momentum, i) + direction);
        write(next, i, step! * direction + read(w, i));
      });
    },
    adagrad(n, w, g, sum, ...numbers) {
      const [decay, epsilon, step] = rounded(...numbers.slice(0, -1));
      const next = numbers.at(-1)!;
      each(n, (i) => {
        const d = gradient(i, w, g, decay!);
        const total = write(sum, i, read(sum, i) + d * d);
        write(next, i, step! * (d / (Math.sqrt(total) + epsilon!)) + read(w, i));
      });
    },
  };
}
