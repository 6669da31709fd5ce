/**
 * Pictures and pages that are complete in themselves.
 *
 * @module
 */
export { escapeHtml } from "./report/escape.ts";
export { figure } from "./report/figure.ts";
export { type Film, film, type Video } from "./report/film.ts";
export { type Page, page, type Section } from "./report/page.ts";
export { pianoRoll, type Steps } from "./report/pianoRoll.ts";
export { type Colour, png } from "./report/png.ts";
export { table } from "./report/table.ts";
