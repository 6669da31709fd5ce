import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { Worker } from "node:worker_threads";
import { expect, test } from "vitest";
import { mpi } from "../../../src/node.ts";
import { findLibrary } from "../../../src/parallel/mpi/findLibrary.ts";
import { findKoffi, type Koffi } from "../../../src/parallel/mpi/koffi.ts";
import { type Launcher, launcherOf } from "../../../src/parallel/mpi/launcher.ts";
import { launch, launchers, testWithMpi } from "./launch.ts";

const koffi = findKoffi()!;
/** A system without libraries. */
const bare: Koffi = {
  ...koffi,
  load: () => {
    throw new Error("cannot open shared object file");
  },
};
const hydra = launcherOf({ PMI_RANK: "1", PMI_SIZE: "4", MPI_LOCALNRANKS: "4" })!;
const orterun = launcherOf({ OMPI_COMM_WORLD_RANK: "0", OMPI_COMM_WORLD_SIZE: "2" })!;
const srun = launcherOf({ SLURM_PROCID: "2", SLURM_STEP_NUM_TASKS: "8", PMIX_RANK: "2" })!;

const said = (act: () => unknown) => {
  try {
    act();
  } catch (error) {
    return (error as Error).message;
  }
  return "nothing was said";
};

test("without a launcher a script is alone", () => {
  expect(mpi().size).toBe(1);
  expect(mpi()).toBe(mpi({}));
});

test.each([
  [{}, undefined],
  [{ OMPI_COMM_WORLD_RANK: "3", OMPI_COMM_WORLD_SIZE: "4", PMIX_RANK: "3" }, ["Open MPI", 3, 4]],
  [{ PMI_RANK: "0", PMI_SIZE: "2", MPI_LOCALNRANKS: "2" }, ["MPICH", 0, 2]],
  // Hydra starts its proxies with srun.
  [
    {
      PMI_RANK: "5",
      PMI_SIZE: "6",
      MPI_LOCALNRANKS: "3",
      SLURM_STEP_NUM_TASKS: "2",
      SLURM_PROCID: "1",
    },
    ["MPICH", 5, 6],
  ],
  [
    { PMI_RANK: "5", PMI_SIZE: "6", SLURM_STEP_NUM_TASKS: "6", SLURM_PROCID: "5" },
    [undefined, 5, 6],
  ],
  [{ PMIX_RANK: "1", SLURM_STEP_NUM_TASKS: "6", SLURM_PROCID: "1" }, [undefined, 1, 6]],
  [{ PMIX_RANK: "1", PMIX_NAMESPACE: "prterun" }, [undefined, 1, undefined]],
  [{ SLURM_STEP_NUM_TASKS: "6", SLURM_PROCID: "1" }, [undefined, 1, 6]],
  // A batch script, before srun.
  [{ SLURM_NTASKS: "6", SLURM_PROCID: "0", SLURM_JOB_ID: "7" }, undefined],
] as const)("the launcher of %o is %o", (environment, expected) => {
  const found = launcherOf(environment);
  expect(found && [found.implementation, found.rank, found.size]).toEqual(expected);
});

test("options", () => {
  expect(said(() => mpi({ messagebytes: 8 } as never))).toMatchInlineSnapshot(
    `"mpi: there is no option "messagebytes", did you mean "messageBytes"? It takes messageBytes"`,
  );
  expect(said(() => mpi({ messageBytes: 7 }))).toMatchInlineSnapshot(
    `"mpi: messageBytes must be a multiple of 8 of at least 8, got 7"`,
  );
  expect(said(() => mpi(7 as never))).toMatchInlineSnapshot(
    `"mpi: options must be an object such as { messageBytes: ... }, got 7. It takes messageBytes"`,
  );
  expect(said(() => mpi({ messageBytes: 8 }))).toMatchInlineSnapshot(
    `"mpi: it was called with messageBytes left out before, got 8; all calls of a process share one communicator"`,
  );
});

test("a worker thread", async () => {
  const worker = new Worker(
    `import("@chronograd/nn/node").then(({ mpi }) => mpi()).catch((error) => require("node:worker_threads").parentPort.postMessage(error.message));`,
    { eval: true, execArgv: ["--conditions=@chronograd/source", "--no-warnings"] },
  );
  const message = await new Promise((resolve) => worker.once("message", resolve));
  await worker.terminate();
  expect(message).toMatchInlineSnapshot(
    `"mpi: a worker thread cannot call it, because MPI is the main thread's alone; call it there, and let runWorkers give workers their communicator"`,
  );
});

test("no library", () => {
  const find = (launcher: Launcher, wish?: string) => said(() => findLibrary(bare, launcher, wish));
  expect(find(hydra)).toMatchInlineSnapshot(
    `"mpi: mpiexec of MPICH started this process as one of 4, rank 1, and no MPI library is found; install MPICH (Debian: apt install libmpich12), or name the library: CHRONOGRAD_MPI=/path/to/libmpi.so"`,
  );
  expect(find(srun)).toMatchInlineSnapshot(
    `"mpi: srun started this process as one of 8, rank 2, and no MPI library is found; install MPI (Debian: apt install libopenmpi3 or libmpich12), or name the library: CHRONOGRAD_MPI=/path/to/libmpi.so"`,
  );
  expect(find(orterun, "/opt/mpi/libmpi.so")).toMatchInlineSnapshot(
    `"mpi: /opt/mpi/libmpi.so, which CHRONOGRAD_MPI names, could not be loaded (cannot open shared object file); name the path of an MPI library, or unset it"`,
  );
});

test("a library that is none", () => {
  expect(said(() => findLibrary(koffi, hydra, "libc.so.6"))).toMatchInlineSnapshot(
    `"mpi: libc.so.6, which CHRONOGRAD_MPI names, is not a library of MPICH, Intel MPI, MVAPICH or Open MPI; name the path of an MPI library, or unset it"`,
  );
});

testWithMpi("a library of another implementation", () => {
  expect(said(() => findLibrary(koffi, hydra, "libmpi.so.40"))).toMatchInlineSnapshot(
    `"mpi: mpiexec of MPICH started this process as one of 4, rank 1, and the library that CHRONOGRAD_MPI names is Open MPI 4.1.4 (libmpi.so.40), with which each process would run alone; start with mpiexec of Open MPI, or install the library of MPICH (Debian: apt install libmpich12)"`,
  );
  expect(said(() => findLibrary(koffi, orterun, "libmpich.so.12"))).toMatchInlineSnapshot(
    `"mpi: mpiexec of Open MPI started this process as one of 2, rank 0, and the library that CHRONOGRAD_MPI names is MPICH 4.0.2 (libmpich.so.12), with which each process would run alone; start with mpiexec of MPICH, or install the library of Open MPI (Debian: apt install libopenmpi3)"`,
  );
});

const call = `import { mpi } from "@chronograd/nn/node"; mpi();`;
const inline = (code: string) => ["--input-type=module", "--eval", code];

testWithMpi("of all ranks one says what all found", async () => {
  const [openMpi, mpich] = launchers;
  const [first, second] = await Promise.all([
    launch(openMpi!, 3, inline(call), { env: { CHRONOGRAD_MPI: "libmpich.so.12" } }),
    launch(mpich!, 3, inline(call), { env: { CHRONOGRAD_MPI: "/nowhere/libmpi.so" } }),
  ]);
  for (const { said, code, left } of [first, second]) {
    expect(said.match(/Error: mpi: /g)?.length).toBe(1);
    expect(code).not.toBe(0);
    expect(left).toEqual([]);
  }
});

testWithMpi("launchers that reach the library only in part", async () => {
  const run = async (env: Record<string, string>) => {
    const { stderr } = await promisify(execFile)(
      process.execPath,
      ["--no-warnings", "--conditions=@chronograd/source", ...inline(call)],
      { env: { ...process.env, ...env } },
    ).catch((error: { stderr: string }) => error);
    return /Error: (mpi: .*)/.exec(stderr)?.[1] ?? stderr;
  };
  const [npm, srunWithoutMpi] = await Promise.all([
    run({ PMI_RANK: "0", PMI_SIZE: "4", MPI_LOCALNRANKS: "4", PMI_FD: "77" }),
    run({
      ...{ SLURM_PROCID: "0", SLURM_STEP_NUM_TASKS: "4" },
      CHRONOGRAD_MPI: "libmpich.so.12",
    }),
  ]);
  expect(npm).toMatchInlineSnapshot(
    `"mpi: mpiexec of MPICH started this process as one of 4, rank 0, and its socket (PMI_FD=77) did not come through to it, because a program between the two closed it; let mpiexec of MPICH start node itself, not npm or npx: mpiexec -n 4 node train.mjs"`,
  );
  expect(srunWithoutMpi).toMatchInlineSnapshot(
    `"mpi: srun started this process as one of 4, rank 0, and MPICH 4.0.2 (libmpich.so.12) counts 1; let CHRONOGRAD_MPI name the library that belongs to the launcher (for srun, see srun --mpi=list)"`,
  );
});

testWithMpi("what ranks must agree on", async () => {
  const code = `import { mpi } from "@chronograd/nn/node";
    mpi({ messageBytes: process.env.OMPI_COMM_WORLD_RANK === "1" ? 8 : 64 });`;
  const { said } = await launch(launchers[0]!, 2, inline(code));
  expect(said.match(/worker 0 of 2: .*/g)).toMatchInlineSnapshot(`
    [
      "worker 0 of 2: TypeError: mpi: messageBytes must be the same on all workers, got 64 on worker 0 of 2 and 8 on worker 1",
    ]
  `);
});
