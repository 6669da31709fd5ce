import { tree } from "@chronograd/autodiff";
import { describeTensor, isLike, Region } from "@chronograd/autodiff/internal";
import type { Cell, Values } from "../../cell.ts";
import { checkState } from "../../checkState.ts";
import type { Engine } from "../engines/engine.ts";
import { streamIsOver } from "../source.ts";
import type { Owned, PreparedStep } from "../step.ts";
import { noted } from "../unchanged.ts";
import { modelOf } from "./liveWindow.ts";
import type { Resumed } from "./resume.ts";

/** Throws a sentence unless a live window is of this cell with these parameters. */
export function checkModel(
  where: string,
  { model, states, generations }: Resumed,
  cell: Pick<Cell<unknown, unknown>, "state">,
  params: unknown,
): void {
  const what = `${where}: the live window to resume`;
  const expected = modelOf(params);
  for (let i = 0; i < Math.max(expected.length, model.length); i++) {
    if (expected[i] === model[i]) continue;
    const [was, is] = [model[i], expected[i]].map((x) => x ?? "no parameter");
    throw new TypeError(
      `${what} is of a model with ${was}, got ${is} in its place; resume with the model of that stream`,
    );
  }
  for (const state of states) checkState(`${what}: its state`, state, cell.state);
  const present = tree.leavesWithPath(params);
  for (const [i, generation] of generations.entries()) {
    const used = new Map(tree.leavesWithPath(generation.params));
    const wrong = present.find(([path, x]) => !(used.has(path) && isLike(used.get(path)!, x)));
    if (wrong === undefined && used.size === present.length) continue;
    const [path, x] = wrong ?? ["", undefined];
    const found = used.get(path);
    throw new TypeError(
      `${what}: generation ${i} must have the parameters of the model, ${x === undefined ? `${present.length} tensors` : `${path} ${describeTensor(x)}`}, got ${x === undefined ? used.size : found === undefined ? "none" : describeTensor(found)}`,
    );
  }
}

/** The steps of a live window, each held by a region of its own. */
export function retakenSteps<X, Target>({ steps }: Resumed): Owned<PreparedStep<X, Target>>[] {
  return steps.map((step) => {
    const region = new Region();
    return { value: noted(step, region) as PreparedStep<X, Target>, region };
  });
}

/** Lets an engine take the steps again, each with the parameters of its time: the same values. */
export function retake<Params, State, X, Target>(
  where: string,
  engine: Engine<Params, State, X, Target>,
  present: Values<Params>,
  resumed: Resumed,
): void {
  const { stepsAtOnce } = engine;
  const { planned } = resumed;
  const must = (isRight: boolean, what: string) => {
    if (isRight) return;
    throw new RangeError(
      `${where}: the live window to resume has ${what}, and plans take ${stepsAtOnce} steps at once`,
    );
  };
  must(planned.length % stepsAtOnce === 0, `${planned.length} planned steps`);
  if (planned.length > 0) {
    engine.planLike?.(present, planned as readonly PreparedStep<X, Target>[]);
  }
  const steps = retakenSteps<X, Target>(resumed);
  try {
    for (const { params, steps: count } of resumed.generations) {
      must(count % stepsAtOnce === 0, `parameters with which ${count} steps ran`);
      for (let taken = 0; taken < count; taken += stepsAtOnce) {
        engine.take(params as Values<Params>, steps.slice(0, stepsAtOnce));
        steps.splice(0, stepsAtOnce);
      }
    }
  } finally {
    for (const { region } of steps) region.end(streamIsOver);
  }
}
