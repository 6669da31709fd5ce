/** Functions of trees, as the namespace `tree`. */
export { leaves, leavesWithPath, map, zip } from "./tree.ts";
