import * as cells from "@chronograd/rnn";

const { elman, gru, gruResetBefore, irnn, lru, lstm, lstmCoupled, lstmLayerNorm } = cells;
const { lstmPeephole, lstmProjected, mgu, minGru, minLstm } = cells;

/** The built-in cells from vectors to vectors, by name. */
export const families: Readonly<Record<string, unknown>> = {
  ...{ lstm, gru, elman, minGru, minLstm, mgu, lru, irnn, gruResetBefore },
  ...{ lstmCoupled, lstmLayerNorm, lstmPeephole, lstmProjected },
};

/** Their names. */
export const builtInCells: readonly string[] = Object.keys(families);
