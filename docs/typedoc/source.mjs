// Declarations as their authors wrote them, without bodies, `export` and what is internal.
import ts from "typescript";

/** Columns that a code block shows without scrolling. */
const width = 80;

function isHidden(node) {
  const isPrivate = (ts.getCombinedModifierFlags(node) & ts.ModifierFlags.Private) !== 0;
  const isInternal = ts.getJSDocTags(node).some(({ tagName }) => tagName.text === "internal");
  const isNamed = node.name === undefined || ts.isIdentifier(node.name);
  return isPrivate || isInternal || !isNamed;
}

/** Text on one line where it fits. */
function fit(text) {
  const line = text.replaceAll(/\s+/g, " ").replaceAll("( ", "(").replaceAll(/,? \)/g, ")");
  return line.length <= width && !text.includes("/*") ? line : text;
}

/** What stands before a function's body, without modifiers that do not matter to a caller. */
function headOf(node) {
  const end = node.body ? node.body.getStart() : node.end;
  const text = node.getSourceFile().text.slice(node.getStart(), end).trim();
  return text.replace(/;$/, "").replace(/^(?:export |async |override )+/, "");
}

/** The symbol behind a name, through imports. */
function resolve(name, checker) {
  const symbol = checker.getSymbolAtLocation(name);
  return symbol && symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
}

/** The function type behind `Op<(x: Tensor) => Tensor>`, behind an alias of it, or written out. */
function functionTypeOf(node, checker) {
  if (node === undefined) return undefined;
  if (ts.isFunctionTypeNode(node)) return node;
  if (ts.isParenthesizedTypeNode(node)) return functionTypeOf(node.type, checker);
  if (ts.isIntersectionTypeNode(node)) return functionTypeOf(node.types[0], checker);
  if (!ts.isTypeReferenceNode(node)) return undefined;
  if (/^(Function)?Op$/.test(node.typeName.getText())) {
    return functionTypeOf(node.typeArguments?.[0], checker);
  }
  const alias = resolve(node.typeName, checker)?.declarations?.find(ts.isTypeAliasDeclaration);
  return functionTypeOf(alias?.type, checker);
}

function asFunction(name, type) {
  const texts = (nodes = []) => nodes.map((node) => fit(node.getText()));
  const generics = type.typeParameters ? `<${texts(type.typeParameters).join(", ")}>` : "";
  const head = `function ${name}${generics}`;
  const result = type.type.getText();
  const line = `${head}(${texts(type.parameters).join(", ")}): ${result}`;
  if (line.length <= width) return line;
  const rows = texts(type.parameters).map((text) => `  ${text},\n`);
  return `${head}(\n${rows.join("")}): ${result}`;
}

/** The text of an interface, or of the fields of a class, member by member with docstrings. */
function shapeOf(head, members) {
  if (members.length === 0) return head;
  const body = members.map((member) => {
    const { text } = member.getSourceFile();
    const docs = text.slice(member.getFullStart(), member.getStart()).trim();
    const field = headOf(member).replace(/^get (\w+)\(\)/, "readonly $1");
    return `${docs === "" ? "" : `  ${docs}\n`}  ${field};`;
  });
  return `${head} {\n${body.join("\n")}\n}`;
}

/** The class that a class extends. */
function baseOf(node, checker) {
  const clause = node.heritageClauses?.find(({ token }) => token === ts.SyntaxKind.ExtendsKeyword);
  const symbol = clause && resolve(clause.types[0].expression, checker);
  return symbol?.declarations?.find(ts.isClassDeclaration);
}

function showClass(node, checker) {
  const base = baseOf(node, checker);
  const members = [...node.members, ...(base?.members ?? [])].filter((member) => !isHidden(member));
  const methods = members.filter((member) => ts.isMethodDeclaration(member));
  const fields = members.filter(
    (member) =>
      !ts.isMethodDeclaration(member) &&
      !(ts.isConstructorDeclaration(member) && member.parameters.length === 0),
  );
  const generics = node.typeParameters
    ? `<${node.typeParameters.map((p) => p.getText()).join(", ")}>`
    : "";
  const head = `class ${node.name.text}${generics}`;
  return {
    kind: "class",
    text: shapeOf(head, fields),
    nodes: fields,
    methods: methods.map(showMethod),
    base,
  };
}

function showMethod(node) {
  return { name: node.name.getText(), text: fit(dedent(headOf(node))), nodes: [node] };
}

/** Lines after the first, two columns to the left: out of the class. */
function dedent(text) {
  return text.replaceAll(/\n {2}/g, "\n");
}

/**
 * What the reference shows of an export.
 *
 * @returns `kind`, `text`, the syntax `nodes` behind the text, and of a class its `methods` and its
 *   `base`
 */
export function show(name, symbol, checker) {
  const declarations = symbol.declarations ?? [];
  const classNode = declarations.find(ts.isClassDeclaration);
  if (classNode) return showClass(classNode, checker);
  const variable = declarations.find(ts.isVariableDeclaration);
  if (variable) {
    const type = functionTypeOf(variable.type, checker);
    if (type) return { kind: "function", text: asFunction(name, type), nodes: [type] };
    return { kind: "const", text: fit(`const ${variable.getText()}`), nodes: [] };
  }
  const functions = declarations.filter(ts.isFunctionDeclaration);
  if (functions.length > 0) {
    const nodes = functions.length > 1 ? functions.filter(({ body }) => !body) : functions;
    return { kind: "function", text: nodes.map((node) => fit(headOf(node))).join("\n"), nodes };
  }
  const node = declarations.find(ts.isInterfaceDeclaration);
  if (node) {
    const { text } = node.getSourceFile();
    const head = text.slice(node.getStart(), node.members.pos).replace(/^export /, "");
    const members = node.members.filter((member) => !isHidden(member));
    return {
      kind: "type",
      text: shapeOf(fit(head.replace(/\s*\{$/, "")), members),
      nodes: members,
    };
  }
  const alias = declarations.find(ts.isTypeAliasDeclaration);
  if (alias) return { kind: "type", text: headOf(alias), nodes: [alias] };
  throw new Error(`reference: cannot show ${name}, which is neither a class, a value nor a type`);
}

/** Every symbol that declarations name, bodies left out. */
export function namedIn(nodes, checker) {
  const found = new Set();
  const visit = (node) => {
    if (ts.isBlock(node)) return;
    if (ts.isIdentifier(node)) found.add(resolve(node, checker));
    ts.forEachChild(node, visit);
  };
  for (const node of nodes) visit(node);
  return found;
}
