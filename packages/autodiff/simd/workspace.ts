// Memory that kernels write to while they run, apart from their results. Several threads may run
// kernels on one memory, each with an instance of its own, so each instance has its own workspace:
// nothing but constants may stand at fixed addresses.

/** Columns whose float64 totals are kept at a time. */
export const columnsAtOnce: i32 = 512;
/** Elements that are brought together at a time, of each of three operands. */
export const span: i32 = 64;

/** In bytes from the start: of totals, of operands, and of what `reduce` leaves. */
const operandsAt: usize = <usize>columnsAtOnce * 8;
const reductionAt: usize = operandsAt + 3 * <usize>span * 8;

let workspace: usize = 0;

export function workspaceBytes(): i32 {
  return <i32>reductionAt + 48;
}

/** Gives the instance its workspace, before any kernel runs. */
export function useWorkspace(address: usize): void {
  workspace = address;
}

// @ts-ignore: decorator
@inline
export function totals(): usize {
  return workspace;
}

// @ts-ignore: decorator
@inline
export function operands(): usize {
  return workspace + operandsAt;
}

// @ts-ignore: decorator
@inline
export function reduction(): usize {
  return workspace + reductionAt;
}
