/** Whose launcher and library must fit together: both speak one protocol at the start. */
export type Implementation = "MPICH" | "Open MPI";

/** What started this process as one of several. */
export interface Launcher {
  readonly name: string;
  /** Undefined where it starts processes for any library. */
  readonly implementation: Implementation | undefined;
  readonly rank: number;
  /** How many processes there are; undefined where the launcher does not say. */
  readonly size: number | undefined;
  /** How many of them are on this machine; undefined where the launcher does not say. */
  readonly localSize: number | undefined;
  /**
   * The open file through which the launcher speaks, where it does so by one that each process
   * inherits.
   */
  readonly file: number | undefined;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The launcher that an environment tells of; undefined in a process that was started alone.
 *
 * Open MPI documents `OMPI_COMM_WORLD_SIZE` and `OMPI_COMM_WORLD_RANK`; `PMI_RANK`, `PMI_SIZE` and
 * `PMI_FD` are of the process manager interface PMI-1, and `MPI_LOCALNRANKS` is Hydra's, the
 * launcher of MPICH and Intel MPI; `PMIX_RANK` is of PMIx. In Slurm, `SLURM_PROCID` and
 * `SLURM_NTASKS` are set in a batch script, too, which is one process: `srun` alone sets
 * `SLURM_STEP_NUM_TASKS`.
 */
export function launcherOf(environment: Environment): Launcher | undefined {
  const number = (name: string): number | undefined => {
    const text = environment[name];
    return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined;
  };
  const launcher = (
    name: string,
    implementation: Implementation | undefined,
    rank: number | undefined,
    size: number | undefined,
    localSize: number | undefined,
  ): Launcher | undefined => {
    if (rank === undefined) return undefined;
    return { name, implementation, rank, size, localSize, file: number("PMI_FD") };
  };
  const slurm = number("SLURM_STEP_NUM_TASKS");
  const [ofSlurm, pmiSize] = [slurm === undefined ? "a launcher" : "srun", number("PMI_SIZE")];
  const local = number("MPI_LOCALNRANKS");
  return (
    launcher(
      "mpiexec of Open MPI",
      "Open MPI",
      number("OMPI_COMM_WORLD_RANK"),
      number("OMPI_COMM_WORLD_SIZE"),
      number("OMPI_COMM_WORLD_LOCAL_SIZE"),
    ) ??
    (pmiSize === undefined
      ? undefined
      : local === undefined
        ? launcher(ofSlurm, undefined, number("PMI_RANK"), pmiSize, undefined)
        : launcher("mpiexec of MPICH", "MPICH", number("PMI_RANK"), pmiSize, local)) ??
    launcher(ofSlurm, undefined, number("PMIX_RANK"), slurm, undefined) ??
    (slurm === undefined
      ? undefined
      : launcher("srun", undefined, number("SLURM_PROCID"), slurm, undefined))
  );
}
