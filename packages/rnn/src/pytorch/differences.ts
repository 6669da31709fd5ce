import { type Shape, Tensor } from "@chronograd/autodiff";
import { describeType } from "@chronograd/autodiff/internal";

/** Shapes by name. */
export type Shapes = Readonly<Record<string, { readonly shape: Shape }>>;

/** What is there and should be otherwise, by name. */
export interface Differences {
  readonly missing: readonly string[];
  readonly extra: readonly string[];
  readonly wrong: readonly string[];
  /** All of it in words, or `undefined` where nothing differs. */
  readonly text: string | undefined;
}

/** Compares what is given with what is expected: names, shapes, and one dtype of floats. */
export function differencesOf(
  given: Readonly<Record<string, unknown>>,
  expected: Shapes,
  { lacks, hasNoPlace }: { readonly lacks: string; readonly hasNoPlace: string },
): Differences {
  const names = Object.keys(expected);
  const missing = names.filter((name) => !Object.hasOwn(given, name));
  const extra = Object.keys(given).filter((name) => !Object.hasOwn(expected, name));
  const present = names.filter((name) => Object.hasOwn(given, name));
  const isFloat = (x: unknown): x is Tensor => x instanceof Tensor && x.dtype !== "int32";
  const first = present.find((name) => isFloat(given[name]));
  const dtype = first === undefined ? "float32" : (given[first] as Tensor).dtype;
  const wrong = present.filter((name) => {
    const x = given[name];
    return !isFloat(x) || x.dtype !== dtype || String(x.shape) !== String(expected[name]!.shape);
  });
  const quoted = (name: string, of: Shapes) => `"${name}"${of[name] ? ` [${of[name].shape}]` : ""}`;
  const found = Object.fromEntries(
    Object.entries(given).filter((entry): entry is [string, Tensor] => entry[1] instanceof Tensor),
  );
  const texts = [
    ...listed(
      lacks,
      missing.map((name) => quoted(name, expected)),
    ),
    ...listed(
      hasNoPlace,
      extra.map((name) => quoted(name, found)),
    ),
    ...wrong.map((name) => {
      const got = found[name] ? describeType(found[name]) : "no tensor";
      return `"${name}" is ${got}, expected ${describeType({ dtype, shape: expected[name]!.shape })}`;
    }),
  ];
  return { missing, extra, wrong, text: texts.length === 0 ? undefined : texts.join("; ") };
}

function listed(what: string, names: readonly string[]): readonly string[] {
  if (names.length === 0) return [];
  const [last, ...others] = names.toReversed();
  const text = others.length === 0 ? last : `${others.toReversed().join(", ")} and ${last}`;
  return [`${what} ${text}`];
}
