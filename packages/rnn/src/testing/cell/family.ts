import type { Tensor } from "@chronograd/autodiff";
import type { Rng } from "@chronograd/nn";
import { definitionOf } from "../../cell.ts";

/** What a function made by `defineCell` says of itself. */
export interface FamilyDescription {
  /** Whose errors are said to be; `"cell"` unless the definition has a name. */
  readonly name: string;
  /** Small sizes, one for each name that it is known to take. */
  readonly sizes: Readonly<Record<string, number | string>>;
  /** Whether the definition says which sizes there are, so that others are refused. */
  readonly isListed: boolean;
  /** Options that are one of a few words, the first unless given. */
  readonly choices: Readonly<Record<string, readonly string[]>>;
  /** Options that are numbers, as they are unless given. */
  readonly numbers: Readonly<Record<string, number>>;
  /** Draws an input, where the definition has an example of one. */
  readonly input?: (random: Rng, batch: number) => Tensor;
}

/**
 * What a function made by `defineCell` takes; `undefined` for everything else.
 *
 * @example
 * ```ts
 * import { elman } from "@chronograd/rnn";
 * import { familyOf } from "@chronograd/rnn/testing";
 *
 * const family = familyOf(elman);
 * family?.sizes; // => { input: 2, hidden: 3 }
 * family?.choices; // => { activation: ["tanh", "relu"] }
 * familyOf(elman({ input: 2, hidden: 3 })); // => undefined
 * ```
 */
export function familyOf(make: unknown): FamilyDescription | undefined {
  const definition = typeof make === "function" ? definitionOf(make) : undefined;
  if (definition === undefined) return undefined;
  const { name = "cell", choices = {}, numbers = {}, example = {} } = definition;
  const names = definition.sizes ?? (example.sizes ? [] : ["input", "hidden"]);
  const small = names.filter((each) => !(each in choices) && !(each in numbers));
  const { input } = example as { readonly input?: FamilyDescription["input"] };
  return {
    name,
    sizes: {
      ...Object.fromEntries(small.map((each) => [each, each === "input" ? 2 : 3])),
      ...(example.sizes as FamilyDescription["sizes"] | undefined),
    },
    isListed: definition.sizes !== undefined,
    choices: choices as FamilyDescription["choices"],
    numbers: numbers as FamilyDescription["numbers"],
    ...(input && { input }),
  };
}
