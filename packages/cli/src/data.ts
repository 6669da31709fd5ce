/**
 * Files that data come in.
 *
 * @module
 */
export {};
