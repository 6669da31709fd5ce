import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Peers } from "./setup.ts";
import type { Need } from "./systems.ts";

/** Variables that say which kernels a library runs, how many threads, and the like. */
const settings =
  /^(OPENBLAS|GOTO|BLIS|MKL|OMP|KMP|GOMP|ATEN|ONEDNN|DNNL|XLA|JAX|NPY|TORCH|PYTORCH|CHRONOGRAD)_|^NODE_OPTIONS$/;
/** Those of them that hold a library to other kernels than it would choose. */
const holding =
  /^(OPENBLAS_CORETYPE|OPENBLAS_L2_SIZE|ATEN_CPU_CAPABILITY|MKL_ENABLE_INSTRUCTIONS|MKL_DEBUG_CPU_TYPE|MKL_CBWR|(ONEDNN|DNNL)_MAX_CPU_ISA|NPY_DISABLE_CPU_FEATURES|XLA_FLAGS|CHRONOGRAD_BLAS)$/;

type Environment = Readonly<Record<string, string | undefined>>;

/** The kernels of each system, in its own words, and the environment that they run in. */
export interface Kernels {
  readonly environment: Readonly<Record<string, string>>;
  readonly kernels: Readonly<Record<string, string>>;
  /** The kernels without the variables that hold a library to others, where some are set. */
  readonly kernels_without?: Readonly<Record<string, string>>;
}

/** The variables of an environment that matter. */
export function settingsOf(environment: Environment): Record<string, string> {
  return Object.fromEntries(
    Object.entries(environment)
      .filter(
        (entry): entry is [string, string] => entry[1] !== undefined && settings.test(entry[0]),
      )
      .sort(([a], [b]) => (a < b ? -1 : 1)),
  );
}

/** An environment in which every library chooses; `undefined` where nothing holds one. */
export function unheld(environment: Environment): Environment | undefined {
  const free = Object.entries(environment).filter(([name]) => !holding.test(name));
  return free.length < Object.keys(environment).length ? Object.fromEntries(free) : undefined;
}

/** Asks the systems that take part. The measured processes run in the environment as it is. */
export function findKernels(peers: Peers, needs: ReadonlySet<Need>): Kernels {
  const programs = [
    ["workspace", "systems/kernels.ts"],
    ["torch", "peers/kernels.py"],
  ] as const;
  const ask = (env: Environment): Record<string, string> =>
    Object.assign(
      {},
      ...programs.map(([need, program]) => {
        const found = peers.command(need);
        if (!needs.has(need) || "missing" in found) return {};
        return answerOf([...found.command, fileURLToPath(new URL(program, import.meta.url))], env);
      }),
    );
  const free = unheld(process.env);
  return {
    environment: settingsOf(process.env),
    kernels: ask(process.env),
    ...(free && { kernels_without: ask(free) }),
  };
}

/** What a program says; nothing where it fails, because the benchmark goes on without. */
function answerOf([program, ...args]: readonly string[], env: Environment): Record<string, string> {
  const { status, stdout } = spawnSync(program!, args, { env, encoding: "utf8" });
  return status === 0 ? (JSON.parse(stdout) as Record<string, string>) : {};
}

/** The kernels as lines; where a variable holds a library to others, both are told. */
export function kernelLines({ environment, kernels, kernels_without }: Kernels): string[] {
  const set = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  return [
    ...Object.entries(kernels).map(([system, what]) => {
      const other = kernels_without?.[system];
      const held = other !== undefined && other !== what;
      return `kernels of ${system}: ${what}${held ? `; without the environment's variables: ${other}` : ""}`;
    }),
    `set in the environment: ${set.length === 0 ? "nothing that chooses kernels or threads" : set.join(", ")}`,
  ];
}
