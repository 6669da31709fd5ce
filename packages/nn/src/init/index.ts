export { constant, ones, zeros } from "./constant.ts";
export { normal, uniform } from "./distributions.ts";
export { glorot, glorotNormal } from "./glorot.ts";
export { he, heNormal } from "./he.ts";
export { identity } from "./identity.ts";
export { lecun, lecunNormal } from "./lecun.ts";
export { orthogonal } from "./orthogonal.ts";
export * as pytorch from "./pytorch.ts";
