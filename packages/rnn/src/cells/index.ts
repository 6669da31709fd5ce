/**
 * Every built-in cell. The tests of all cells walk this list: a new cell is a file and a line here.
 */
export * from "./convLstm.ts";
export * from "./elman.ts";
export * from "./gru.ts";
export * from "./gruResetBefore.ts";
export * from "./lstm.ts";
