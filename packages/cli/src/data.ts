/**
 * Files that data come in.
 *
 * @module
 */
export { encodeMidi, type MidiOptions } from "./data/midi.ts";
