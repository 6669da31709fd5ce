import { clone, isTensor, type Tensor } from "@chronograd/autodiff";
import { allocate, kernelsOf, named, Region, within } from "@chronograd/autodiff/extend";
import { type Pair, quote } from "./pairing.ts";

let net: FinalizationRegistry<Region> | undefined;

/**
 * The moments of all parameters. They live in a region of their own, whatever scopes come and go around the updates,
 * and are changed in place: no one else ever sees them.
 */
export class Moments {
  readonly #names: readonly string[];
  readonly #region = new Region();
  #byPath = new Map<string, Readonly<Record<string, Tensor>>>();

  constructor(names: readonly string[]) {
    this.#names = names;
    net ??= new FinalizationRegistry((region) => region.end("its optimizer was garbage-collected"));
    net.register(this, this.#region);
  }

  /** Makes the moments of parameters seen for the first time; throws a sentence when others were seen before. */
  prepare(pairs: readonly Pair[], start: number, where: string): void {
    if (this.#names.length === 0) return;
    if (this.#byPath.size === 0) return this.#make(pairs, start);
    for (const { path, w } of pairs) {
      const moment = this.#byPath.get(path)?.[this.#names[0]!];
      if (moment === undefined) {
        throw new TypeError(
          `${where}: ${quote(path)} was not among the parameters of the updates before; make an optimizer for each params tree, or reset() this one`,
        );
      }
      const fits =
        moment.dtype === w.dtype &&
        moment.rank === w.rank &&
        moment.shape.every((length, axis) => length === w.shape[axis]) &&
        moment.backend === w.backend;
      if (!fits) {
        throw new RangeError(
          `${where}: ${quote(path)} is ${named(w)}, and in the updates before it was ${named(moment)}, on the same backend; make an optimizer for each params tree, or reset() this one`,
        );
      }
    }
    if (pairs.length < this.#byPath.size) {
      const present = new Set(pairs.map(({ path }) => path));
      const missing = [...this.#byPath.keys()].find((path) => !present.has(path)) ?? "";
      throw new TypeError(
        `${where}: ${quote(missing)} was among the parameters of the updates before and is missing now; make an optimizer for each params tree, or reset() this one`,
      );
    }
  }

  #make(pairs: readonly Pair[], start: number): void {
    for (const { path, w } of pairs) {
      const moments = this.#names.map((name): [string, Tensor] => {
        const moment = allocate(w.backend, w.shape, w.dtype);
        this.#region.hold(moment.block);
        kernelsOf(w.backend, moment).fill(moment.size, start, moment.pointer);
        return [name, moment];
      });
      this.#byPath.set(path, Object.fromEntries(moments));
    }
  }

  /** The address of one moment of one parameter. */
  pointer(path: string, name: string): number {
    return this.#byPath.get(path)![name]!.pointer;
  }

  /** Copies of all, by `name.path`. */
  copies(): Record<string, Tensor> {
    const result: [string, Tensor][] = [];
    for (const [path, moments] of this.#byPath) {
      for (const name of this.#names) result.push([keyOf(name, path), clone(moments[name]!)]);
    }
    return Object.fromEntries(result);
  }

  /** Copies what `copies` gave; throws a sentence when a moment is missing or unknown. */
  load(saved: Readonly<Record<string, Tensor>>, where: string): void {
    const paths = new Set<string>();
    for (const key of Object.keys(saved)) {
      const name = this.#names.find((each) => key === each || key.startsWith(`${each}.`));
      if (name === undefined) {
        throw new TypeError(
          `${where}: the state has "${key}", expected ${this.#names.map((each) => `"${each}.path"`).join(" or ") || "no moments"}`,
        );
      }
      paths.add(key.slice(name.length + 1));
    }
    const loaded = new Map<string, [string, Tensor][]>();
    for (const path of paths) {
      const moments = this.#names.map((name): [string, Tensor] => {
        const moment = saved[keyOf(name, path)];
        if (moment === undefined) {
          throw new TypeError(
            `${where}: the state lacks "${keyOf(name, path)}"; pass all that state() returned`,
          );
        }
        if (!isTensor(moment)) {
          throw new TypeError(
            `${where}: "${keyOf(name, path)}" must be a tensor, got ${typeof moment}; make tensors of a decoded file with tensorsOf(decoded)`,
          );
        }
        return [name, moment];
      });
      loaded.set(path, moments);
    }
    const before = new Map(this.#byPath);
    within(this.#region, () => {
      for (const [path, moments] of loaded) {
        const copied = moments.map(([name, x]): [string, Tensor] => [name, clone(x.detach())]);
        this.#byPath.set(path, Object.fromEntries(copied));
      }
    });
    for (const [path, moments] of before) {
      for (const moment of Object.values(moments)) {
        this.#region.drop(moment.block, "a loaded state took its place");
      }
      if (!loaded.has(path)) this.#byPath.delete(path);
    }
  }

  /** Returns all memory. */
  clear(): void {
    this.#byPath.clear();
    this.#region.end("its optimizer was reset");
  }
}

function keyOf(name: string, path: string): string {
  return path === "" ? name : `${name}.${path}`;
}
