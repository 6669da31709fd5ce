import { checkOptions } from "../checkOptions.ts";
import { escapeHtml } from "./escape.ts";

/** A part of a page. */
export interface Section {
  readonly heading: string;
  /** One or two sentences of plain text: what the picture shows. */
  readonly note?: string;
  /** HTML or SVG. */
  readonly html: string;
}

/** What `page` takes. */
export interface Page {
  readonly title: string;
  /** Lines of plain text at the top. */
  readonly facts: readonly string[];
  readonly sections: readonly Section[];
}

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 860px; margin: 2rem auto; padding: 0 1rem; color: #1c1917; background: #fff; }
  h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 0.2rem; }
  p.note { margin: 0 0 0.5rem; color: #57534e; } svg, img { max-width: 100%; height: auto; }
  pre { white-space: pre-wrap; background: #f5f5f4; padding: 1rem; border-radius: 6px; }
  table { border-collapse: collapse; } td, th { padding: 0.2rem 0.8rem; text-align: right; border-bottom: 1px solid #e7e5e4; }
  td:first-child, th:first-child { text-align: left; }`;

/**
 * An HTML page that needs no other file.
 *
 * @example
 * ```ts
 * import { page } from "chronograd/report";
 *
 * const html = page({ title: "A run", facts: ["seed 1"], sections: [] });
 * html.includes("<h1>A run</h1>"); // => true
 * ```
 */
export function page(options: Page): string {
  checkOptions("page", options, ["title", "facts", "sections"]);
  const { title, facts, sections } = options;
  const parts = sections.map((section) => {
    checkOptions("page: a section", section, ["heading", "note", "html"]);
    const { heading, note, html } = section;
    return [
      `<h2>${escapeHtml(heading)}</h2>`,
      ...(note === undefined ? [] : [`<p class="note">${escapeHtml(note)}</p>`]),
      html,
    ].join("\n");
  });
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${escapeHtml(title)}</title>
<style>${style}
</style>
<h1>${escapeHtml(title)}</h1>
<ul>${facts.map((fact) => `<li>${escapeHtml(fact)}</li>`).join("")}</ul>
${parts.join("\n")}
</html>
`;
}
