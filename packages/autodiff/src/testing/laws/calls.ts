import { type Family, signatures } from "../../kernels/contract.ts";
import { numberSignatures } from "../../kernels/move.ts";
import { isPointer, type Kind, signatureOf } from "../../kernels/signature.ts";
import type { Backend } from "../../tensor/backend.ts";
import type { DType } from "../../tensor/dtype.ts";
import { randomVector } from "../function.ts";
import type { Finding, Law } from "../law.ts";
import { compare, worse } from "./case.ts";

/** Elements of every buffer: more than any drawn call touches, so that stray writes are seen. */
const elements = 1400;

/**
 * Whose calls mean nothing alone: a packed matrix is as the set likes it, and `y` has to be
 * `o tanh(c)`.
 */
const apart = new Set(["pack", "matmulPacked", "lstmOutputVjpGates", "lstmOutputVjpC"]);

/**
 * Every kernel of the table, called with random arguments, writes what the reference kernel writes.
 */
export function callLaws(backend: Backend, reference: Backend): Law[] {
  return (Object.keys(signatures) as Family[]).flatMap((family) => {
    const isFloat = family === "float32" || family === "float64";
    const table = { ...signatures[family], ...(isFloat && numberSignatures) };
    return Object.entries<string>(table)
      .filter(([name]) => !apart.has(name))
      .map(([name, text]) => ({
        name: `${family}.${name}`,
        statement: "a call writes, and returns, what the reference kernel does",
        bound: family === "float32" ? 1e-5 : family === "float64" ? 1e-12 : 0,
        measure: (seed: number) => {
          const drawn = draw(family, name, text, seed);
          const [found, expected] = [backend, reference].map((on) => run(on, family, name, drawn));
          return found!
            .map((values, i): Finding => {
              const where =
                i === 0 ? () => "returned" : (at: number) => `${drawn.written[i - 1]} at ${at}`;
              const finite = expected![i]!.filter(Number.isFinite).map(Math.abs);
              const scale = finite.reduce((most, value) => Math.max(most, value), 0);
              return compare(values, expected![i]!, (at) => `${drawn.words}: ${where(at)}`, scale);
            })
            .reduce(worse);
        },
      }));
  });
}

/** Arguments of one call: numbers, and what the buffers of pointers hold. */
interface Drawn {
  readonly args: readonly (number | { readonly dtype: DType; readonly values: Float64Array })[];
  /** The pointers that are written: their positions and names. */
  readonly positions: readonly number[];
  readonly written: readonly string[];
  /** The numbers, in words. */
  readonly words: string;
}

function draw(family: Family, name: string, text: string, seed: number): Drawn {
  const { names, kinds, writes } = signatureOf(text);
  const noise = randomVector(names.length, seed);
  const numbers: Record<string, number> = {};
  const args = names.map((argument, i) => {
    const chance = Math.abs(noise[i]! * 1e4) % 1;
    if (isPointer(kinds[i]!))
      return buffer(dtypeOf(family, name, argument), argument, numbers, seed + i);
    numbers[argument] = numberOf(argument, kinds[i]!, numbers, chance);
    return numbers[argument];
  });
  // What scratch memory holds afterwards is the set's own affair.
  const positions = writes.filter((i) => names[i] !== "scratch");
  const words = Object.entries(numbers).map(([argument, value]) => `${argument} ${value}`);
  return { args, positions, written: positions.map((i) => names[i]!), words: words.join(", ") };
}

/** A number that suits an argument of this name. */
function numberOf(
  name: string,
  kind: Kind,
  { cols = 0 }: Readonly<Record<string, number>>,
  chance: number,
): number {
  if (kind !== "int") return 0.1 + 0.8 * chance;
  if (/^ld[abc]$/.test(name)) return 7;
  if (name === "yRow") return cols + 1;
  if (name === "yCol") return 1;
  if (name.endsWith("Row")) return [0, cols, cols + 2][Math.floor(3 * chance)]!;
  const flag = Math.round(chance);
  if (name.endsWith("Col") || flags.has(name)) return flag;
  if (name === "ignoreIndex") return -flag;
  return 1 + Math.floor(6 * chance);
}
const flags = new Set(
  "aTransposed bTransposed accumulate reverse complex descending recurrent nesterov amsgrad centered".split(
    " ",
  ),
);

/** The dtype of what a pointer points to. */
function dtypeOf(family: Family, kernel: string, argument: string): DType {
  const [from, to] = kernel.split("To").map((part) => part.toLowerCase() as DType);
  if (family === "cast") return argument === "x" ? from! : to!;
  if (/^(indices|targets|t|scratch)$/.test(argument)) return "int32";
  if (/^arg/.test(kernel) && argument === "y") return "int32";
  if (argument === "rate" || argument === "norm" || (kernel === "norm" && argument === "y"))
    return "float64";
  if (family === "int32") return "int32";
  return family.endsWith("64") ? "float64" : "float32";
}

/** What a pointer points to: sizes of gradients are no less than 0, indices are in range. */
function buffer(
  dtype: DType,
  name: string,
  { depth, cols = 6 }: Readonly<Record<string, number>>,
  seed: number,
) {
  const noise = randomVector(elements, seed);
  const values = noise.map((value) => {
    if (name === "indices" || name === "targets")
      return Math.floor(Math.abs(value * 1e3) % (depth ?? cols));
    if (name === "t") return 1 + Math.floor(Math.abs(value * 1e3) % 3);
    if (dtype === "int32") return Math.round(4 * value);
    return /^(rms|largest|size|rate|norm)$/.test(name) ? Math.abs(value) : Math.fround(value);
  });
  return { dtype, values };
}

/** What a call returns, and what the buffers hold that it writes. */
function run(
  backend: Backend,
  family: Family,
  name: string,
  { args, positions }: Drawn,
): Float64Array[] {
  const { memory, kernels } = backend;
  const bytes = 8 * elements;
  const pointers = args.map((arg) => (typeof arg === "number" ? arg : memory.allocate(bytes)));
  for (const [i, arg] of args.entries()) {
    if (typeof arg === "number") continue;
    const view = memory.views[arg.dtype];
    view.set(arg.values, pointers[i]! / view.BYTES_PER_ELEMENT);
  }
  const kernel = kernels[family] as unknown as Record<
    string,
    (...args: number[]) => number | undefined
  >;
  const returned = kernel[name]!(...pointers);
  const written = positions.map((i) => {
    const { dtype } = args[i] as Exclude<(typeof args)[number], number>;
    const view = memory.views[dtype];
    const start = pointers[i]! / view.BYTES_PER_ELEMENT;
    return Float64Array.from(view.subarray(start, start + elements));
  });
  for (const [i, arg] of args.entries())
    if (typeof arg !== "number") memory.release(pointers[i]!, bytes);
  return [Float64Array.of(returned ?? 0), ...written];
}
