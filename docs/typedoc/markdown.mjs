// Pages of the reference as Markdown.

/** A page: every member with its declaration, comment and examples. */
export function pageText({ entryPoint, title, members }, methodsNote) {
  const head = [`# ${title}`, `From \`${entryPoint.name}\`.${methodsNote}`];
  return [...head, ...members.map(memberText)].join("\n\n");
}

/** The page that links to every export. */
export function indexText(chapters) {
  const link = ({ name, url }) => `[\`${name}\`](${url})`;
  const parts = ["# Reference", "Every export, by the entry point it comes through."];
  for (const { entryPoint, summary, pages, again } of chapters) {
    parts.push(`## ${entryPoint.name} {#${entryPoint.slug}}`, summary);
    for (const { title, url, members } of pages) {
      parts.push(`**[${title}](${url})** ${members.map(link).join(" ")}`);
    }
    if (again.length > 0) parts.push(`Also exported here: ${again.map(link).join(" ")}`);
  }
  return parts.join("\n\n");
}

/** Where a page shows an export. */
export function anchorOf(name) {
  return name.replaceAll(".", "-");
}

/** A comment's text; a link in it is only named. */
export function textOf(parts = []) {
  const texts = parts.map(({ text }) => text);
  return texts.join("").trim();
}

function memberText({ reflection, name, kind, text, types, methods = [], isBase }) {
  const signature = reflection.signatures?.[0];
  const title = kind === "function" ? `${name}()` : name;
  const parts = [`## ${title} {#${anchorOf(name)}}`];
  // What a documented class inherits is shown there.
  if (isBase) parts.push(block(`class ${name}`));
  else parts.push(block(text), typesLine(types));
  parts.push(commentText(signature?.comment ?? reflection.comment, signature));
  for (const method of isBase ? [] : methods) {
    const found = reflection.children.find((child) => child.name === method.name)?.signatures?.[0];
    parts.push(`### ${name}.${method.name}() {#${name}-${method.name}}`, block(method.text));
    parts.push(typesLine(method.types), commentText(found?.comment, found));
  }
  return parts.filter(Boolean).join("\n\n");
}

function block(text) {
  return `\`\`\`ts\n${text}\n\`\`\``;
}

function typesLine(types) {
  if (types.length === 0) return "";
  const links = types.map(({ name, url }) => `[${name}](${url})`);
  return `<div class="types">\n\nTypes: ${links.join(", ")}\n\n</div>`;
}

/** Summary, parameters, result, errors and examples. */
function commentText(comment, signature) {
  if (comment === undefined) return "";
  const tags = (name) => comment.blockTags.filter(({ tag }) => tag === name);
  const described = [
    ...(signature?.parameters ?? []).map(({ name, comment: own }) => [name, own?.summary ?? []]),
    ...tags("@param").map(({ name, content }) => [name, content]),
  ].filter(([, text]) => text.length > 0);
  const rows = described.map(([name, text]) => `- \`${name}\`: ${textOf(text)}`);
  for (const { content } of tags("@returns")) rows.push(`- **Returns** ${textOf(content)}`);
  for (const { content } of tags("@throws")) rows.push(`- **Throws** ${textOf(content)}`);
  const examples = tags("@example").map(({ content }) => textOf(content));
  return [textOf(comment.summary), rows.join("\n"), ...examples].filter(Boolean).join("\n\n");
}
