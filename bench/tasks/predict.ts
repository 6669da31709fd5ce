import { rng } from "@chronograd/nn";
import { type ChosenWindow, chooseWindow } from "@chronograd/rnn/flow";
import { full } from "./estimators.ts";
import { modelOf } from "./model.ts";
import type { Row } from "./table.ts";
import { steps, train } from "./train.ts";

/** What `chooseWindow` is asked for. */
export interface WindowQuestion {
  readonly k1: number;
  readonly tolerance: number;
  readonly lags: number;
  /** How many batches it may look at. */
  readonly batches: number;
  /** After how many batches of full BPTT: a model that has learnt nothing shows no dependency. */
  readonly trained: number;
}

/** Which window a task needs, by the measure of its model while that learns. */
export function predict(
  row: Row,
  { batches, trained, ...asked }: WindowQuestion,
  seed: number,
): ChosenWindow {
  const { task, rows } = row;
  const { params } = train(task, { ...row, batches: trained }, full(task.steps), seed);
  const draws = rng(seed, "measured");
  const drawn = Array.from({ length: batches }, () => task.draw(draws, rows));
  const stream = [...steps(task, rows, drawn)];
  const loss = task.kind.loss(task);
  return chooseWindow(modelOf(row, task), params as never, stream, { ...asked, loss });
}
