import { type Family, type Kernels, linkageOf } from "../kernels/contract.ts";
import { signatureOf } from "../kernels/signature.ts";
import { type Call, isCallOf, touches } from "./call.ts";
import { Group } from "./group.ts";
import { type Lanewise, lanewise } from "./lanewise.ts";
import { isInline, type Loop } from "./loop.ts";
import type { Program } from "./program.ts";

/**
 * Runs element-wise calls that follow each other as one loop, with the values between them in
 * registers; a value that nobody else reads is not written. Each element gets the same operations,
 * so it has the same bits.
 */
export function fused(program: Program, kernels: Kernels): Program {
  if (kernels.linkage === undefined) return program;
  const { calls, buffers } = program;
  /** How many calls read each buffer. */
  const readers = new Int32Array(buffers.length);
  for (const call of calls) for (const buffer of new Set(touches(call).reads)) readers[buffer]!++;
  const loops: Loop[] = [];
  const indices = new Map<string, number>();
  const next: Call[] = [];
  const close = (group: Group): void => {
    for (const part of group.apart()) write(part);
  };
  const write = (group: Group): void => {
    const [only] = group.calls;
    if (group.calls.length < 2 && (only === undefined || !isCallOf(only, "addToZero"))) {
      next.push(...group.calls);
      return;
    }
    const own = new Map<number, number>();
    for (const call of group.calls)
      for (const buffer of new Set(touches(call).reads))
        own.set(buffer, (own.get(buffer) ?? 0) + 1);
    const isPrivate = (buffer: number) =>
      buffer >= 0 && buffers[buffer]!.slot < 0 && readers[buffer] === (own.get(buffer) ?? 0);
    const { loop, parameters } = group.toLoop(isPrivate);
    if (loop.instructions.length === 0) return;
    const key = textOf(loop);
    const index = indices.get(key) ?? loops.push(loop) - 1;
    indices.set(key, index);
    next.push({
      family: "loop",
      name: String(index),
      signature: signatureOf(parameters.map(({ kind }, i) => `p${i}:${kind}`).join(" ")),
      args: parameters.map(({ offset }) => offset),
      buffers: parameters.map(({ buffer }) => buffer),
      phase: group.calls[0]!.phase,
    });
  };
  let group = new Group();
  for (const call of calls) {
    const lane = fusable(call, kernels);
    if (lane !== undefined && group.add(call, lane)) continue;
    close(group);
    group = new Group();
    if (lane === undefined || !group.add(call, lane)) next.push(call);
  }
  close(group);
  return { ...program, calls: next, loops };
}

/** A text that is equal for equal loops only: -0 is not 0. */
function textOf({ size, rows, cols, parameters, instructions }: Loop): string {
  const strides = parameters.map(({ rowBytes, col }) => `${rowBytes} ${col}`);
  const code = instructions.map((one) => {
    if (one.does !== "compute") return `${one.does} ${one.value} ${one.parameter} ${one.offset}`;
    const alpha = Object.is(one.alpha, -0) ? "-0" : String(one.alpha);
    return `${one.value} ${one.code} ${one.inputs} ${alpha}`;
  });
  return [`${size} ${rows} ${cols}`, ...strides, ...code].join();
}

function fusable(call: Call, kernels: Kernels): Lanewise | undefined {
  const lane = lanewise(call);
  if (lane === undefined || lane.rows * lane.cols === 0) return undefined;
  const name = call.name === "addToZero" ? "addTo" : call.name;
  const linkage = linkageOf(kernels, call.family as Family, name);
  if (linkage === undefined) return undefined;
  const family = lane.size === 4 ? "float32" : "float64";
  return isInline(lane.code) || linkage.lanes(family, lane.code) !== undefined ? lane : undefined;
}
