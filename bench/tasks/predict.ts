import { rng } from "@chronograd/nn";
import { type ChosenWindow, chooseWindow } from "@chronograd/rnn/flow";
import { firstParams, modelOf } from "./model.ts";
import type { Row } from "./table.ts";
import { steps } from "./train.ts";

/** What `chooseWindow` is asked for. */
export interface WindowQuestion {
  readonly k1: number;
  readonly tolerance: number;
  readonly lags: number;
  /** How many batches it may look at. */
  readonly batches: number;
}

/** Which window a task needs by the measure of its untrained model. */
export function predict(
  row: Row,
  { batches, ...asked }: WindowQuestion,
  seed: number,
): ChosenWindow {
  const { task, rows } = row;
  const model = modelOf(row, task);
  const params = firstParams(model, row, rng(seed, "model"));
  const draws = rng(seed, "measured");
  const drawn = Array.from({ length: batches }, () => task.draw(draws, rows));
  const stream = [...steps(task, rows, drawn)];
  return chooseWindow(model, params, stream, { ...asked, loss: task.kind.loss(task) });
}
