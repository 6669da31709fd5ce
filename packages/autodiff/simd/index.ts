export * from "./lanes";
export * from "./unary";
export * from "./binary";
export * from "./reduce";
export * from "./rows";
export * from "./matmul";
export * from "./move";
