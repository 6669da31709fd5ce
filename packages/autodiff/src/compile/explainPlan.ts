import { kernelOf } from "./call.ts";
import type { Plan } from "./plan.ts";

/** What a plan does, in words. */
export function explainPlan(
  plan: Pick<Plan, "program" | "traced" | "bytes" | "recordBytes">,
): string {
  const { calls, buffers, loops = [], byTable = 0 } = plan.program;
  const counts = new Map<string, number>();
  let inLoops = 0;
  for (const call of calls) {
    const isLoop = call.family === "loop";
    if (isLoop) inLoops += loops[Number(call.name)]!.calls;
    const what = isLoop ? "fused loops" : kernelOf(call);
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const kernels = [...counts]
    .sort((a, b) => b[1] - a[1])
    .map(([kernel, count]) => `${count} ${kernel}`.replace("fused loops", `$& of ${inLoops} calls`))
    .join(", ");
  const record = plan.recordBytes > 0 ? `, ${plan.recordBytes} bytes kept between runs` : "";
  const tables = byTable === 0 ? "" : `; ${byTable} products by way of a table`;
  return `${calls.length} kernel calls (${plan.traced} as recorded), ${buffers.length} buffers, ${plan.bytes} bytes of temporaries${record}: ${kernels}${tables}`;
}
