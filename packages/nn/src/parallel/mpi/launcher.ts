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
  /** Which of how many it is on this machine; undefined where the launcher does not say. */
  readonly localRank: number | undefined;
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
  const file = number("PMI_FD");
  const [ofOpenMpi, ofPmi, ofPmix, ofSlurm] = [
    number("OMPI_COMM_WORLD_RANK"),
    number("PMI_RANK"),
    number("PMIX_RANK"),
    number("SLURM_PROCID"),
  ];
  const steps = number("SLURM_STEP_NUM_TASKS");
  if (ofOpenMpi !== undefined) {
    return {
      name: "mpiexec of Open MPI",
      implementation: "Open MPI",
      rank: ofOpenMpi,
      size: number("OMPI_COMM_WORLD_SIZE"),
      localRank: number("OMPI_COMM_WORLD_LOCAL_RANK"),
      localSize: number("OMPI_COMM_WORLD_LOCAL_SIZE"),
      file: undefined,
    };
  }
  const pmiSize = number("PMI_SIZE");
  const localSize = number("MPI_LOCALNRANKS");
  if (ofPmi !== undefined && pmiSize !== undefined && localSize !== undefined) {
    return {
      name: "mpiexec of MPICH",
      implementation: "MPICH",
      rank: ofPmi,
      size: pmiSize,
      localRank: number("MPI_LOCALRANKID"),
      localSize,
      file,
    };
  }
  const rank = ofPmi ?? ofPmix ?? (steps === undefined ? undefined : ofSlurm);
  if (rank === undefined) return undefined;
  return {
    name: steps === undefined ? "a launcher" : "srun",
    implementation: undefined,
    rank,
    size: pmiSize ?? steps,
    localRank: number("SLURM_LOCALID"),
    localSize: undefined,
    file,
  };
}
