export * from "./unary";
export * from "./binary";
export * from "./reduce";
export * from "./rows";
export * from "./gates";
export * from "./update";
export * from "./matmul";
export * from "./move";
