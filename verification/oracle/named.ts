import * as autodiff from "@chronograd/autodiff";
import * as nn from "@chronograd/nn";
import type { Call } from "./calls.ts";

type Exported = (...args: readonly unknown[]) => autodiff.Tensor | readonly autodiff.Tensor[];

/** A function of tensors that the packages export; several outputs are named by their place. */
export function named(name: string): Call {
  const exported = { ...nn, ...autodiff } as unknown as Readonly<Record<string, Exported>>;
  const f = exported[name];
  if (typeof f !== "function") throw new TypeError(`oracle: nothing is called ${name}`);
  return (_inputs, args) => {
    const y = f(...args);
    if (y instanceof autodiff.Tensor) return { y };
    return Object.fromEntries(y.map((part, i) => [`y${i}`, part]));
  };
}
