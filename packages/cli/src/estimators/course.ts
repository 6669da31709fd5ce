import { scope, type Tensor, tensor, tree } from "@chronograd/autodiff";
import { type Rng, rng } from "@chronograd/nn";
import { initialParams } from "@chronograd/rnn";
import { examinationOf, inFloat64, startOf } from "../check/examination.ts";
import type { LoadedCell, PlainCell } from "../modules/loadCell.ts";
import type { Step, Task } from "../training/task.ts";

/** What estimators run over. */
export interface Course {
  readonly cell: PlainCell;
  readonly params: unknown;
  readonly steps: readonly Step[];
  readonly loss: (output: unknown, target: unknown) => Tensor;
}

/** How long it is, and how wide. */
export interface CourseSizes {
  readonly steps: number;
  readonly batch: number;
  readonly seed: number;
}

/** Random inputs, and random targets that outputs are to come near. */
export function randomCourse(loaded: LoadedCell, { steps, batch, seed }: CourseSizes): Course {
  const sizes = { steps, batch, tolerance: 1, k1: 1, k2: 1 };
  const { cell, own, input } = examinationOf(loaded, sizes);
  const random = rng(seed);
  const params = own.params
    ? inFloat64(own.params(random.split("parameters")))
    : initialParams(cell, random.split("parameters"), { dtype: "float64" });
  const inputs = Array.from({ length: steps }, (_, t) =>
    input(random.split(`input ${t + 1}`), batch),
  );
  const like = scope(() => {
    const [output] = cell.step(params, inputs[0], startOf(cell, params, batch));
    return tree.map(output, (x: Tensor) => x.detach());
  });
  const targets = random.split("targets");
  return {
    cell,
    params,
    steps: inputs.map((each) => ({ input: each, target: drawn(like, targets) })),
    loss: squaredError,
  };
}

/** The held-out part of a task, for a model that has learnt nothing. */
export function courseOf(
  task: Task,
  model: PlainCell,
  steps: readonly Step[],
  seed: number,
): Course {
  return {
    cell: model,
    params: initialParams(model, rng(seed).split("parameters"), { dtype: "float64" }),
    steps: steps.map((step) => inFloat64(step) as Step),
    loss: task.loss as never,
  };
}

const drawn = (like: unknown, random: Rng) =>
  tree.map(like, (x: Tensor) =>
    tensor(
      Float64Array.from({ length: x.size }, () => random.normal()),
      { shape: x.shape },
    ),
  );

/** By rows, over all floats of an output. */
function squaredError(output: unknown, target: unknown): Tensor {
  const targets = tree.leaves(target);
  const parts = tree.leaves(output).flatMap((y, i) => {
    if (y.dtype === "int32") return [];
    const rows = y.sub(targets[i] as Tensor).reshape([y.shape[0] ?? 1, -1]);
    return [rows.square().sum(-1)];
  });
  if (parts.length === 0) throw new TypeError("the output holds no float tensor");
  return parts.reduce((total, part) => total.add(part));
}
