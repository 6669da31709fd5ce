import { clone, detach, Tensor } from "@chronograd/autodiff";
import { textOf } from "../../checkDefinition.ts";
import { isBranch } from "../../findTensor.ts";

/**
 * Packs trees: their tensors go to a list. In their places, `"@3"` stands for the fourth of that
 * list; `"@"` is `undefined`, and of a text that begins with an `@` this letter is doubled. A
 * tensor that stands at several places is in the list once.
 */
export class Packing {
  readonly #where: string;
  readonly #tensors: Tensor[] = [];
  /** The place in the list, by where the bytes are and how they are read. */
  readonly #places = new Map<string, number>();

  constructor(where: string) {
    this.#where = where;
  }

  pack(value: unknown, path: string): unknown {
    if (value instanceof Tensor) return `@${this.#placeOf(value)}`;
    if (value === undefined) return "@";
    if (typeof value === "string") return value.startsWith("@") ? `@${value}` : value;
    if (value === null || typeof value === "number" || typeof value === "boolean") return value;
    if (Array.isArray(value)) return value.map((part, i) => this.pack(part, `${path}.${i}`));
    if (isBranch(value)) {
      const parts = Object.entries(value).map(([name, part]) => {
        return [name, this.pack(part, `${path}.${name}`)] as const;
      });
      return Object.fromEntries(parts);
    }
    const got =
      typeof value === "object" ? `an instance of ${value.constructor.name}` : textOf(value);
    throw new TypeError(
      `${this.#where}: a live window holds tensors, numbers and texts in plain objects and arrays, got ${got} at "${path}"; give it to the model from outside`,
    );
  }

  #placeOf(x: Tensor): number {
    const key = `${x.block.serial} ${x.byteOffset} ${x.dtype} ${x.shape}`;
    const place = this.#places.get(key) ?? this.#tensors.push(x) - 1;
    this.#places.set(key, place);
    return place;
  }

  /** Copies of all tensors, in the innermost scope. */
  copies(): Tensor[] {
    return this.#tensors.map((x) => clone(detach(x)));
  }
}

/** The tree that was packed; throws a sentence for what `pack` does not give. */
export function unpack(
  where: string,
  packed: unknown,
  tensors: readonly Tensor[],
  path: string,
): unknown {
  if (typeof packed === "string" && packed.startsWith("@")) {
    if (packed === "@") return undefined;
    if (packed.startsWith("@@")) return packed.slice(1);
    const found = /^@\d+$/.test(packed) ? tensors[Number(packed.slice(1))] : undefined;
    if (found !== undefined) return found;
    throw new RangeError(
      `${where}: "${path}" is ${JSON.stringify(packed)}, and there are ${tensors.length} tensors, "@0" to "@${tensors.length - 1}"`,
    );
  }
  if (Array.isArray(packed)) {
    return packed.map((part, i) => unpack(where, part, tensors, `${path}.${i}`));
  }
  if (!isBranch(packed)) return packed;
  const parts = Object.entries(packed).map(([name, part]) => {
    return [name, unpack(where, part, tensors, `${path}.${name}`)] as const;
  });
  return Object.fromEntries(parts);
}
