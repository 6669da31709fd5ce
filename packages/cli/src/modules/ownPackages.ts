import { hintFor } from "../command/nearest.ts";

/** The entry points that a user's module shares with this command. */
const entryPoints: Readonly<Record<string, () => Promise<object>>> = {
  "@chronograd/autodiff": () => import("@chronograd/autodiff"),
  "@chronograd/autodiff/extend": () => import("@chronograd/autodiff/extend"),
  "@chronograd/autodiff/ndarray": () => import("@chronograd/autodiff/ndarray"),
  "@chronograd/autodiff/reference": () => import("@chronograd/autodiff/reference"),
  "@chronograd/autodiff/testing": () => import("@chronograd/autodiff/testing"),
  "@chronograd/nn": () => import("@chronograd/nn"),
  "@chronograd/nn/data": () => import("@chronograd/nn/data"),
  "@chronograd/nn/metrics": () => import("@chronograd/nn/metrics"),
  "@chronograd/nn/node": () => import("@chronograd/nn/node"),
  "@chronograd/nn/parallel": () => import("@chronograd/nn/parallel"),
  "@chronograd/nn/safetensors": () => import("@chronograd/nn/safetensors"),
  "@chronograd/rnn": () => import("@chronograd/rnn"),
  "@chronograd/rnn/decode": () => import("@chronograd/rnn/decode"),
  "@chronograd/rnn/estimators": () => import("@chronograd/rnn/estimators"),
  "@chronograd/rnn/flow": () => import("@chronograd/rnn/flow"),
  "@chronograd/rnn/pytorch": () => import("@chronograd/rnn/pytorch"),
  "@chronograd/rnn/testing": () => import("@chronograd/rnn/testing"),
  "chronograd/command": () => import("../command.ts"),
  "chronograd/data": () => import("../data.ts"),
  "chronograd/flow": () => import("../flow.ts"),
  "chronograd/forecast": () => import("../forecast.ts"),
  "chronograd/report": () => import("../report.ts"),
  "chronograd/run": () => import("../run.ts"),
  "chronograd/text": () => import("../text.ts"),
  "chronograd/training": () => import("../training.ts"),
};

/** A module whose missing exports are told, where JavaScript would say "undefined". */
function strict(name: string, exported: object): object {
  const copy: Record<string, unknown> = { ...exported };
  return new Proxy(copy, {
    get(target, key) {
      // What loaders ask every module for.
      if (typeof key === "symbol" || key in target || key in Object.prototype) {
        return Reflect.get(target, key);
      }
      if (["__esModule", "default", "then"].includes(key)) return undefined;
      throw new TypeError(`${name} exports no ${key}${hintFor(key, Object.keys(target))}`);
    },
  });
}

/**
 * The packages of this project by name, as this very process has them: a module that imports them
 * from here needs no `node_modules`, and there is never a second copy of a class.
 */
export async function ownPackages(): Promise<Record<string, object>> {
  const loaded = Object.entries(entryPoints).map(
    async ([name, load]) => [name, strict(name, await load())] as const,
  );
  return Object.fromEntries(await Promise.all(loaded));
}
