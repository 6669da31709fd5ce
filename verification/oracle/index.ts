import type { Subject } from "../subject.ts";
import { arrays } from "./arrays.ts";
import { cells } from "./cells.ts";
import { clipping } from "./clipping.ts";
import { ctc } from "./ctc.ts";
import { elementwise } from "./elementwise.ts";
import { fused } from "./fused.ts";
import { layers } from "./layers.ts";
import { losses } from "./losses.ts";
import { modules } from "./modules.ts";
import { movement } from "./movement.ts";
import { optimizers } from "./optimizers.ts";
import { products } from "./products.ts";
import { recurrence } from "./recurrence.ts";
import { reductions } from "./reductions.ts";
import { trajectory } from "./trajectory.ts";
import { truncated } from "./truncated.ts";
import { windows } from "./windows.ts";

/** Everything that is held against PyTorch's numbers; `pytorch.py` writes them. */
export function oracleSubjects(): Subject[] {
  return [
    ...elementwise(),
    ...reductions(),
    ...products(),
    ...movement(),
    ...windows(),
    ...arrays(),
    ...losses(),
    ...ctc(),
    ...fused(),
    ...recurrence(),
    ...layers(),
    ...cells(),
    ...modules(),
    ...clipping(),
    ...optimizers(),
    ...trajectory(),
    ...truncated(),
  ];
}
