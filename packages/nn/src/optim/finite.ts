import type { Backend, Tensor } from "@chronograd/autodiff";
import { kernelsOf } from "@chronograd/autodiff/extend";
import { allocate } from "@chronograd/autodiff/internal";

/** Values that were found finite, so that the next link of a chain need not look again. */
const finite = new WeakSet<Tensor>();

/** Says that values are finite. */
export function markFinite(values: readonly Tensor[]): void {
  for (const x of values) finite.add(x);
}

/** Gradients with their paths. */
export type Named = readonly { readonly path: string; readonly g: Tensor }[];

/**
 * The one backend that values live on: where some are constants of a traced program, that
 * program's.
 */
export function homeOf(values: readonly Tensor[]): Backend | undefined {
  let home: Backend | undefined;
  for (const { backend } of values)
    if (home === undefined || backend.parent === home) home = backend;
  if (home?.parent) for (const x of values) if (x.backend !== home) home.adopt(x);
  return home;
}

/** A float64 scalar that nothing holds yet. */
export function scalar(home: Backend): Tensor {
  const x = allocate(home, [], "float64");
  home.kernels.float64.fill(1, 0, x.pointer);
  return x;
}

/**
 * Throws a sentence that names the first gradient with a NaN or an infinity; a compiled program
 * does so when it runs.
 */
export function checkFinite(named: Named, where: string, advice = ""): void {
  const unknown = named.filter(({ g }) => !finite.has(g) || g.block.version > 0);
  if (unknown.length === 0) return;
  const home = homeOf(unknown.map(({ g }) => g))!;
  if (home.parent === null) {
    const bad = unknown.filter(({ g }) => isNonFinite(g));
    if (bad.length > 0) throw complaint(bad, where, advice);
    return;
  }
  const norm = scalar(home);
  for (const { g } of unknown) kernelsOf(home, g).norm(g.size, g.pointer, norm.pointer);
  home.isFinite(norm);
}

/** Whether a value has a NaN or an infinity. */
export function isNonFinite(x: Tensor): boolean {
  return kernelsOf(x.backend, x).firstNonFinite(x.size, x.pointer) >= 0;
}

export function complaint(bad: Named, where: string, advice: string): RangeError {
  const { path, g } = bad[0]!;
  let count = 0;
  for (const element of g.toTypedArray()) if (!Number.isFinite(element)) count++;
  const more = bad.length - 1;
  const others =
    more === 0 ? "" : more === 1 ? ", and so has 1 other" : `, and so have ${more} others`;
  const of = path === "" ? "" : ` of "${path}"`;
  return new RangeError(
    `${where}: the gradient${of} has ${count} of ${g.size} elements that are NaN or infinite${others}; lower the learning rate, look for where they arise, ${advice}`,
  );
}
