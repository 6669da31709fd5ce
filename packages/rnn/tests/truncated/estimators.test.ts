import { truncated } from "../../src/index.ts";
import { estimatorSuite } from "./estimatorSuite.ts";
import { modes } from "./setup.ts";

for (const stale of modes) {
  for (const compile of [false, true]) {
    estimatorSuite(`${stale}${compile ? ", compiled" : ""}`, (cell, params, stream, options) =>
      truncated(cell, params, stream, { ...options, k1: 2, k2: 4, stale, compile }),
    );
  }
}
