// A TypeDoc plugin: an output that writes the reference as Markdown for VitePress, one page per
// family of exports.
import { mkdirSync, writeFileSync } from "node:fs";
import { Tensor } from "@chronograd/autodiff";
import { opTable } from "@chronograd/autodiff/extend";
import { Converter, ReferenceReflection, ReflectionKind } from "typedoc";
import { derivatives } from "./derivatives.mjs";
import { anchorOf, indexText, pageText, textOf } from "./markdown.mjs";
import { entryPoints, pageOf } from "./pages.mjs";
import { namedIn, show } from "./source.mjs";

const table = opTable();
const ops = new Set(table.map(({ name }) => name));

/** @param {import("typedoc").Application} app */
export function load(app) {
  /** Of every reflection, the symbol it stands for; and the checker that knows them. */
  const symbols = new Map();
  let checker;
  app.converter.on(Converter.EVENT_CREATE_DECLARATION, (context, reflection) => {
    checker ??= context.checker;
    symbols.set(reflection, context.getSymbolFromReflection(reflection));
  });
  app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => removeMethods(project), 1000);
  app.outputs.addOutput("vitepress", async (folder, project) => {
    const chapters = collect(project, symbols, checker);
    const pages = chapters.flatMap((chapter) => chapter.pages);
    for (const page of pages) save(folder, page.url, pageText(page, methodsNote(page)));
    save(folder, "/reference/derivatives", derivatives(table, pages.filter(hasOps)));
    save(folder, "/reference/index", indexText(chapters));
    writeFileSync(`${folder}/sidebar.json`, JSON.stringify(sidebar(chapters), null, 2));
  });
}

/** The methods that ops become are documented as functions. */
function removeMethods(project) {
  for (const tensor of project.getReflectionsByKind(ReflectionKind.Class)) {
    if (tensor.name !== "Tensor") continue;
    for (const member of [...tensor.children]) {
      if (ops.has(member.name)) project.removeReflection(member);
    }
  }
}

/**
 * Every entry point with its pages, and every page with its members, in the order of the sidebar.
 */
function collect(project, symbols, checker) {
  const modules = new Map(
    project.children.map((child) => [entryPointName(symbols.get(child)), child]),
  );
  for (const name of modules.keys()) {
    if (entryPoints.some((entryPoint) => entryPoint.name === name)) continue;
    throw new Error(`reference: there is no ${name} in docs/typedoc/pages.mjs; add it there`);
  }
  const urls = new Map();
  const chapters = entryPoints
    .filter(({ name }) => modules.has(name))
    .map((entryPoint) => {
      const { comment, children } = modules.get(entryPoint.name);
      const isAgain = (child) => child instanceof ReferenceReflection;
      const named = children
        .filter((child) => !isAgain(child))
        .flatMap((child) => membersOf(child));
      const pages = pagesOf(entryPoint, named, symbols, checker);
      for (const { symbol, url } of pages.flatMap(({ members }) => members)) urls.set(symbol, url);
      const again = children.filter(isAgain).map((child) => {
        const target = child.getTargetReflectionDeep();
        return { name: child.name, symbol: symbols.get(target) };
      });
      return { entryPoint, summary: textOf(comment?.summary), pages, again };
    });
  // What is exported twice may stand on a page of a later entry point.
  for (const found of chapters.flatMap(({ again }) => again)) found.url = urls.get(found.symbol);
  const members = chapters.flatMap(({ pages }) => pages.flatMap((page) => page.members));
  const bases = new Set(members.map(({ base }) => base));
  for (const member of members) {
    member.isBase = member.symbol.declarations.some((node) => bases.has(node));
    for (const part of [member, ...(member.methods ?? [])]) {
      part.types = typesOf(part.nodes, member.symbol, urls, checker);
    }
  }
  return chapters;
}

/** `packages/autodiff/src/extend.ts` as `@chronograd/autodiff/extend`. */
function entryPointName({ declarations: [file] }) {
  const [, name, path] = /packages\/([^/]+)\/src\/(.+)\.ts$/.exec(file.fileName);
  const scoped = name === "cli" ? "chronograd" : `@chronograd/${name}`;
  return path === "index" ? scoped : `${scoped}/${path}`;
}

/**
 * An export with its name; of a namespace such as `tree`, each function as `tree.map`, and of one
 * within, as `init.pytorch.linear`.
 */
function membersOf(reflection, prefix = "") {
  const name = prefix + reflection.name;
  if (!reflection.kindOf(ReflectionKind.Namespace)) return [{ name, reflection }];
  return reflection.children.flatMap((child) => membersOf(child, `${name}.`));
}

function pagesOf(entryPoint, named, symbols, checker) {
  const pages = new Map();
  for (const { name, reflection } of named) {
    const symbol = symbols.get(reflection);
    const { title, url, place } = pageOf(
      entryPoint,
      symbol.declarations[0].getSourceFile().fileName,
    );
    if (!pages.has(url)) pages.set(url, { entryPoint, title, url, members: [] });
    const shown = show(name, symbol, checker);
    const { members } = pages.get(url);
    members.push({ name, url: `${url}#${anchorOf(name)}`, place, reflection, symbol, ...shown });
  }
  const kinds = ["class", "function", "const", "type"];
  for (const { members } of pages.values()) {
    members.sort((a, b) => kinds.indexOf(a.kind) - kinds.indexOf(b.kind) || a.place - b.place);
  }
  const order = entryPoint.pages.map(([title]) => title);
  const rank = ({ title }) => (order.includes(title) ? order.indexOf(title) : order.length);
  return [...pages.values()].sort((a, b) => rank(a) - rank(b));
}

/** Documented types that a declaration names, but for itself and tensors, which are everywhere. */
function typesOf(nodes, self, urls, checker) {
  return [...namedIn(nodes, checker)]
    .filter((symbol) => symbol !== self && symbol?.name !== "Tensor" && urls.has(symbol))
    .map((symbol) => ({ name: symbol.name, url: urls.get(symbol) }));
}

function save(folder, url, text) {
  const path = `${folder}/${url.replace("/reference/", "")}.md`;
  mkdirSync(path.replace(/\/[^/]+$/, ""), { recursive: true });
  writeFileSync(path, `${text.trim()}\n`);
}

/** True for the pages of ops that users call. */
function hasOps({ entryPoint, members }) {
  return entryPoint.slug === "autodiff" && members.some(({ name }) => ops.has(name));
}

/** Says which functions of a page are methods of tensors too. */
function methodsNote(page) {
  if (!hasOps(page)) return "";
  const names = page.members.map(({ name }) => name).filter((name) => ops.has(name));
  const [first] = names.filter((name) => name in Tensor.prototype);
  const others = names.filter((name) => !(name in Tensor.prototype)).map((name) => `\`${name}\``);
  const all = others.length === 0 ? "Every op here" : `Every op here but ${others.join(" and ")}`;
  return ` ${all} is a method of tensors too: \`${first}(x, ...)\` is \`x.${first}(...)\`.`;
}

/** Groups by entry point; the ops of a entry point stand apart from the rest. */
function sidebar(chapters) {
  const item = ({ title, url }) => ({ text: title, link: url });
  const groups = chapters.flatMap(({ entryPoint, pages }) => {
    const text = entryPoint.name.replace("@chronograd/", "");
    const rest = pages.filter((page) => !hasOps(page));
    if (rest.length === pages.length) return [{ text, items: pages.map(item) }];
    const rules = { text: "Derivatives of ops", link: "/reference/derivatives" };
    return [
      { text, items: rest.map(item) },
      { text: `${text}: ops`, items: [...pages.filter(hasOps).map(item), rules] },
    ];
  });
  return [{ text: "All exports", link: "/reference/" }, ...groups];
}
