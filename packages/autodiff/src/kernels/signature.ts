/**
 * A kernel's arguments in one text, in their order, with spaces between them. A name by itself is a
 * whole number; `:real` is a number of the kernel's dtype, `:f64` a float64 whatever that is. `:in`
 * is a pointer that is read, `:out` one that is written whole, `:inout` one that is read and
 * written, or written in part.
 *
 * `"rows cols x:in y:out"` gives the type of a kernel, the arguments of a recorded call by name,
 * and what each of them is.
 */
export type Kind = "int" | "real" | "f64" | "in" | "out" | "inout";
type PointerKind = "in" | "out" | "inout";

/**
 * Labels of arguments for editors: TypeScript cannot make one from a text. A name that is not here
 * has none.
 */
// biome-ignore format: as many as fit in a line
interface Labels {
  n: [n: number]; m: [m: number]; k: [k: number]; rows: [rows: number]; cols: [cols: number];
  outer: [outer: number]; length: [length: number]; inner: [inner: number]; depth: [depth: number];
  hidden: [hidden: number]; size: [size: number]; low: [low: number]; high: [high: number];
  a: [a: number]; aRow: [aRow: number]; aCol: [aCol: number]; lda: [lda: number];
  b: [b: number]; bRow: [bRow: number]; bCol: [bCol: number]; ldb: [ldb: number];
  c: [c: number]; ldc: [ldc: number]; condition: [condition: number];
  conditionRow: [conditionRow: number]; conditionCol: [conditionCol: number];
  x: [x: number]; xRow: [xRow: number]; xCol: [xCol: number];
  y: [y: number]; yRow: [yRow: number]; yCol: [yCol: number];
  aTransposed: [aTransposed: number]; bTransposed: [bTransposed: number];
  accumulate: [accumulate: number]; reverse: [reverse: number]; complex: [complex: number];
  descending: [descending: number]; initial: [initial: number];
  alpha: [alpha: number]; value: [value: number]; limit: [limit: number]; norm: [norm: number];
  scratch: [scratch: number]; indices: [indices: number]; except: [except: number];
  logits: [logits: number]; targets: [targets: number]; ignoreIndex: [ignoreIndex: number];
  losses: [losses: number]; g: [g: number]; h: [h: number]; w: [w: number]; gates: [gates: number];
  bias: [bias: number]; gain: [gain: number]; recurrent: [recurrent: number];
  dx: [dx: number]; dc: [dc: number]; dh: [dh: number]; db: [db: number]; dgain: [dgain: number];
  epsilon: [epsilon: number]; momentum: [momentum: number]; t: [t: number]; rate: [rate: number];
  factor: [factor: number]; decay: [decay: number]; beta: [beta: number]; rms: [rms: number];
  dampening: [dampening: number]; nesterov: [nesterov: number]; largest: [largest: number];
  drift: [drift: number]; beta1: [beta1: number]; beta2: [beta2: number]; mean: [mean: number];
  amsgrad: [amsgrad: number]; smoothing: [smoothing: number]; centered: [centered: number];
  rateDecay: [rateDecay: number]; update: [update: number];
}

type NameIn<Word> = Word extends `${infer Name}:${string}` ? Name : Word;
type Label<Name> = Name extends keyof Labels ? Labels[Name] : [number];
type ArgumentsOf<Text> = Text extends `${infer First} ${infer Rest}`
  ? [...Label<NameIn<First>>, ...ArgumentsOf<Rest>]
  : Label<NameIn<Text>>;
type WordsOf<Text> = Text extends `${infer First} ${infer Rest}` ? First | WordsOf<Rest> : Text;

/** A kernel as a function of numbers. */
export type Kernel<Text, Result = void> = (...args: ArgumentsOf<Text>) => Result;
/** Kernels by name. */
export type KernelsOf<Table, Result = void> = {
  readonly [Name in keyof Table]: Kernel<Table[Name], Result>;
};
/** Arguments by name: pointers as `Pointer`, the others as numbers. */
export type ArgumentsByName<Text, Pointer = number> = {
  readonly [Word in WordsOf<Text> as NameIn<Word> & string]: Word extends `${string}:${PointerKind}`
    ? Pointer
    : number;
};

/** A text taken apart. */
export interface Signature {
  readonly text: string;
  readonly names: readonly string[];
  readonly kinds: readonly Kind[];
  /** Positions of the pointers that are read, and of those that are written. */
  readonly reads: readonly number[];
  readonly writes: readonly number[];
}

export function isPointer(kind: Kind): boolean {
  return kind === "in" || kind === "out" || kind === "inout";
}

const known = new Map<string, Signature>();

/** The signature that a text stands for; one object for equal texts. */
export function signatureOf(text: string): Signature {
  let signature = known.get(text);
  if (signature === undefined) {
    const words = text.split(" ").map((word) => word.split(":") as [string, Kind?]);
    const kinds = words.map(([, kind = "int"]) => kind);
    const positions = (...wanted: Kind[]) =>
      kinds.flatMap((kind, i) => (wanted.includes(kind) ? [i] : []));
    signature = {
      text,
      names: words.map(([name]) => name),
      kinds,
      reads: positions("in", "inout"),
      writes: positions("out", "inout"),
    };
    known.set(text, signature);
  }
  return signature;
}

/** Values in the order of a text's arguments, by name. */
export function argumentsByName<Text extends string>(
  text: Text,
  values: readonly number[],
): ArgumentsByName<Text> {
  const { names } = signatureOf(text);
  return Object.fromEntries(names.map((name, i) => [name, values[i]!])) as ArgumentsByName<Text>;
}

/** One text for several names. */
export function same<Name extends string, Text>(
  names: readonly Name[],
  text: Text,
): Record<Name, Text> {
  return Object.fromEntries(names.map((name) => [name, text])) as Record<Name, Text>;
}
