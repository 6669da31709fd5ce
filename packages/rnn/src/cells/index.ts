/**
 * Every built-in cell. The tests of all cells walk this list: a new cell is a file and a line here.
 */
export * from "./attentionCell.ts";
export * from "./convLstm.ts";
export * from "./elman.ts";
export * from "./gru.ts";
export * from "./gruResetBefore.ts";
export * from "./irnn.ts";
export * from "./lru.ts";
export * from "./lstm.ts";
export * from "./lstmCoupled.ts";
export * from "./lstmLayerNorm.ts";
export * from "./lstmPeephole.ts";
export * from "./lstmProjected.ts";
export * from "./mgu.ts";
export * from "./minGru.ts";
export * from "./minLstm.ts";
