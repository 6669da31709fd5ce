import { flatten, type Tensor } from "@chronograd/autodiff";

/** A float parameter, where it stands in its tree, and its gradient. */
export interface Pair {
  readonly path: string;
  readonly w: Tensor;
  readonly g: Tensor;
}

const shown = (x: Tensor) => `${x.dtype} [${x.shape.join(",")}]`;

/** A path for an error message. */
export function quote(path: string): string {
  return path === "" ? "the parameter" : `"${path}"`;
}

/** Float parameters with their gradients, or a thrown sentence that names the first place where they do not fit. */
export function pair(params: unknown, gradients: unknown, where: string): Pair[] {
  const found = new Map(flatten(gradients));
  const seen = new Map<Tensor, string>();
  const pairs: Pair[] = [];
  const known = new Set<string>();
  for (const [path, w] of flatten(params)) {
    known.add(path);
    if (w.dtype === "int32") continue;
    checkParameter(w, path, where);
    const other = seen.get(w);
    if (other !== undefined) {
      throw new TypeError(
        `${where}: one tensor stands at ${quote(other)} and at ${quote(path)}; keep a shared parameter in one place and use it twice`,
      );
    }
    seen.set(w, path);
    const g = found.get(path);
    if (g === undefined) {
      throw new TypeError(
        `${where}: there is no gradient for ${quote(path)}; gradients must have the structure of params, as tape.gradient(loss, watched) gives them`,
      );
    }
    checkGradient(g, w, path, where);
    pairs.push({ path, w, g });
  }
  for (const path of found.keys()) {
    if (known.has(path)) continue;
    throw new TypeError(
      `${where}: there is a gradient at ${quote(path)} and no parameter; gradients must have the structure of params`,
    );
  }
  return pairs;
}

function checkParameter(w: Tensor, path: string, where: string): void {
  if (w.tape !== null) {
    throw new TypeError(
      `${where}: ${quote(path)} is tracked by a tape; pass the params that were given to tape.watch(...), not what it returned`,
    );
  }
  if (w.block.holders <= 0) {
    throw new Error(`${where}: ${quote(path)} is gone: ${w.block.end ?? "nothing holds it"}`);
  }
}

function checkGradient(g: Tensor, w: Tensor, path: string, where: string): void {
  const fits =
    g.dtype === w.dtype &&
    g.rank === w.rank &&
    g.shape.every((length, axis) => length === w.shape[axis]);
  if (!fits) {
    throw new RangeError(
      `${where}: ${quote(path)} is ${shown(w)} and its gradient ${shown(g)}; both must have one shape and dtype`,
    );
  }
  if (g.backend !== w.backend) {
    throw new TypeError(`${where}: ${quote(path)} and its gradient belong to different backends`);
  }
  if (g.block.holders <= 0) {
    throw new Error(
      `${where}: the gradient of ${quote(path)} is gone: ${g.block.end ?? "nothing holds it"}`,
    );
  }
}
