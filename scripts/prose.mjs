// Finds prose in code that is wider than 100 columns: comment lines that could be broken, and are
// not. `--write` wraps their paragraphs. Code examples, lists, tags, tables and aligned text keep
// their shape.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

const width = 100;
const skipped = /(^|\/)fixtures\/|^docs\/reference\//;

const lexeme = /\/\/[^\n]*|\/\*.*?\*\/|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[\w$]+|./sy;
const regex = /\/(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/\w*/y;
const template = /(?:\\.|\$(?!\{)|[^\\`$])*(?:`|\$\{|$)/sy;
/** After one of these a slash divides; after everything else it opens a regular expression. */
const operand =
  /^(?!(?:return|typeof|case|of|in|yield|await|else|delete|void|throw|do)$)[\w$)\]}"'`]/;
const python = /("""|''').*?\1|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|#[^\n]*|./gs;

/**
 * The comments of a program, as `[from, to]`; those that stand in strings and templates are none.
 */
function* commentsOf(text) {
  const open = [];
  let [depth, last] = [0, ""];
  for (let at = 0; at < text.length; ) {
    const take = (pattern) => {
      pattern.lastIndex = at;
      const [found] = pattern.exec(text) ?? [""];
      at += found.length;
      return found;
    };
    const isDivided = text[at] !== "/" || /^[/*]/.test(text[at + 1] ?? "") || operand.test(last);
    const from = at;
    const found = (isDivided ? "" : take(regex)) || take(lexeme);
    if (/^\/[/*]/.test(found)) yield [from, at];
    else if (/\S/.test(found)) last = found;
    if (found === "{") depth++;
    const isBack = found === "}" && depth-- === 0;
    if (isBack) depth = open.pop() ?? 0;
    if ((found === "`" || isBack) && take(template).endsWith("${")) {
      open.push(depth);
      depth = 0;
    }
  }
}

/** The comments of a Python program, and its docstrings. */
function* pythonCommentsOf(text) {
  for (const { 0: found, 1: quotes, index } of text.matchAll(python)) {
    if (quotes !== undefined || found.startsWith("#")) yield [index, index + found.length];
  }
}

/**
 * Words that a line may end after: code, links and formulas stay whole, and no line begins with a
 * bullet.
 */
function wordsOf(text) {
  const words = text.match(/(?:`[^`]*`|\{@[^}]*\}|\$[^$]+\$|[^\s`])+|`/g) ?? [];
  return words.reduce((all, word) => {
    const isMarked = /^([-*+#>=@/]|\d+[.)]$)/.test(word);
    if (isMarked && all.length > 0) all.push(`${all.pop()} ${word}`);
    else all.push(word);
    return all;
  }, []);
}

/** Lines that keep their shape: code, tables, formulas, directives, and text that is aligned. */
const kept = /^\s*(\|.*\|$|\$\$|"""$|'''$|=>|biome-|@ts-|@vitest-|\/|eslint|!)|\S {2,}\S|^\s*$/;

/**
 * The lines of a comment, wrapped at `room` columns; a line that ends early on purpose still ends
 * there.
 */
export function wrap(lines, room) {
  const result = [];
  let paragraph = { lead: "", hang: "", lines: [] };
  const flush = (next = { lead: "", hang: "", lines: [] }) => {
    result.push(...reflow(paragraph, room));
    paragraph = next;
  };
  let isCode = false;
  for (const line of lines) {
    const isFence = /^\s*```/.test(line);
    if (isCode || isFence || kept.test(line)) {
      flush();
      result.push(line);
      isCode = isCode !== isFence;
      continue;
    }
    const [, indent, mark = ""] = /^(\s*)(@\w+ |[-*] |\d+\. )?/.exec(line);
    const isFirst = paragraph.lines.length === 1 && paragraph.lead.trim() !== "";
    if (isFirst && mark === "" && indent.length > /^\s*/.exec(paragraph.lead)[0].length) {
      paragraph.hang = indent;
    }
    if (mark !== "" || paragraph.lines.length === 0 || indent !== paragraph.hang) {
      const hang = indent + " ".repeat(mark.startsWith("@") ? 2 : mark.length);
      flush({ lead: indent + mark, hang, lines: [] });
    }
    paragraph.lines.push(line);
  }
  flush();
  return result;
}

/** The lines of one paragraph, broken again if one of them is too long. */
function reflow({ lead, hang, lines }, room) {
  if (lines.every((line) => line.length <= room)) return lines;
  const result = [];
  let [text, isEmpty] = [lead, true];
  const end = () => {
    result.push(text);
    [text, isEmpty] = [hang, true];
  };
  for (const [i, line] of lines.entries()) {
    const words = wordsOf(i === 0 ? line.slice(lead.length) : line);
    const wouldHaveFit = i > 0 && lines[i - 1].length + 1 + words[0].length <= room;
    if (wouldHaveFit) end();
    for (const word of words) {
      if (!isEmpty && text.length + 1 + word.length > room) end();
      text += isEmpty ? word : ` ${word}`;
      isEmpty = false;
    }
  }
  end();
  return result;
}

/** Runs of lines that are one comment each, `[first, last]`; comments behind code are none. */
function blocksOf(text, comments) {
  const blocks = [];
  let [line, seen] = [0, 0];
  for (const [from, to] of comments) {
    for (; seen < from; seen++) if (text[seen] === "\n") line++;
    const start = text.lastIndexOf("\n", from - 1) + 1;
    const isAlone = /^\s*$/.test(text.slice(start, from)) && /^\s*?(\n|$)/.test(text.slice(to));
    if (!isAlone) continue;
    const opening = text.slice(start, from + 2).replace(/#.$/s, "#");
    const previous = blocks.at(-1);
    const isNext = previous?.last === line - 1 && previous.opening === opening;
    const last = line + text.slice(from, to).split("\n").length - 1;
    if (isNext && /(\/\/|#)$/.test(opening)) previous.last = last;
    else blocks.push({ first: line, last, opening });
  }
  return blocks;
}

/** The lines of one block, wrapped. */
function wrappedBlock(lines, opening) {
  const indent = /^\s*/.exec(opening)[0];
  const within = (prefix, some) =>
    wrap(
      some.map((line) => line.slice(line.startsWith(prefix) ? prefix.length : 0)),
      width - prefix.length,
    ).map((line) => (line === "" ? "" : prefix + line));
  if (/(\/\/|#)$/.test(opening)) return within(opening, lines).map((line) => line || opening);
  if (!opening.endsWith("/*")) return within(indent, lines);
  const star = `${indent} *`;
  const inner =
    lines.length === 1 ? [lines[0].replace(/\/\*\*? ?(.*?) ?\*\/$/, " * $1")] : lines.slice(1, -1);
  if (lines.every((line) => line.length <= width) || !inner.every((line) => line.startsWith(star)))
    return lines;
  return [`${indent}/**`, ...within(star, inner).map((line) => line || star), `${indent} */`];
}

/** A source file with its comments wrapped. */
export function wrapComments(path, text) {
  const comments = path.endsWith(".py") ? pythonCommentsOf(text) : commentsOf(text);
  const lines = text.split("\n");
  for (const { first, last, opening } of blocksOf(text, comments).reverse()) {
    const old = lines.slice(first, last + 1);
    if (old.some((line) => line.length > width)) {
      lines.splice(first, old.length, ...wrappedBlock(old, opening));
    }
  }
  return lines.join("\n");
}

function main() {
  const listed = ["ls-files", "--cached", "--others", "--exclude-standard"];
  const files = execFileSync("git", listed, { encoding: "utf8", maxBuffer: 1 << 26 })
    .split("\n")
    .filter((path) => /\.([cm]?[jt]s|py)$/.test(path) && !skipped.test(path) && existsSync(path));
  const wide = files.filter((path) => {
    const text = readFileSync(path, "utf8");
    const better = wrapComments(path, text);
    if (better !== text && process.argv.includes("--write")) writeFileSync(path, better);
    return better !== text;
  });
  if (process.argv.includes("--write")) {
    console.log(`${wide.length} of ${files.length} files wrapped`);
  } else if (wide.length > 0) {
    console.error(
      `comments are wider than ${width} columns in\n  ${wide.join("\n  ")}\nnode scripts/prose.mjs --write wraps them`,
    );
    process.exitCode = 1;
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) main();
