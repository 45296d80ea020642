import { parseSync, Visitor } from 'oxc-parser';

/** One place where a module names another. `specifier` is undefined where it is computed at run time. */
export type ModuleImport = {
  readonly specifier: string | undefined;
  /** Counted from 1. */
  readonly line: number;
};

/** What a source file says about modules. */
export type ModuleFacts = {
  readonly imports: readonly ModuleImport[];
  /** Lines of statements other than `export { … } from` and `export type { … } from`. */
  readonly otherThanReexport: readonly number[];
  /** First syntax error, if the file does not parse. */
  readonly error: { readonly line: number; readonly message: string } | undefined;
};

/**
 * Reads the imports of one source file: static, type-only, re-exported, dynamic `import()`, `import('…').Type`
 * and `require()`.
 *
 * @param name file name; its extension tells the dialect
 * @param text the source
 */
export function moduleFacts(name: string, text: string): ModuleFacts {
  const lineOf = (offset: number) => text.slice(0, offset).split('\n').length;
  const { program, errors } = parseSync(name, text);
  const [problem] = errors;
  const imports: ModuleImport[] = [];
  const add = (start: number, source: { readonly type: string } | null | undefined) => {
    if (source) imports.push({ specifier: literal(source), line: lineOf(start) });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.start, node.source),
    ExportNamedDeclaration: (node) => add(node.start, node.source),
    ExportAllDeclaration: (node) => add(node.start, node.source),
    ImportExpression: (node) => add(node.start, node.source),
    TSImportType: (node) => add(node.start, node.source),
    TSExternalModuleReference: (node) => add(node.start, node.expression),
    CallExpression: (node) => {
      const { callee } = node;
      if (callee.type === 'Identifier' && callee.name === 'require') add(node.start, node.arguments[0]);
    },
  }).visit(program);
  return {
    imports: imports.sort((a, b) => a.line - b.line),
    otherThanReexport: program.body
      .filter((statement) => statement.type !== 'ExportNamedDeclaration' || !statement.source)
      .map((statement) => lineOf(statement.start)),
    error: problem && { line: lineOf(problem.labels[0]?.start ?? 0), message: problem.message },
  };
}

function literal(node: { readonly type: string }): string | undefined {
  if (node.type === 'Literal' && 'value' in node && typeof node.value === 'string') return node.value;
  if (node.type !== 'TemplateLiteral' || !('quasis' in node) || !Array.isArray(node.quasis)) return undefined;
  return node.quasis.length === 1 ? node.quasis[0].value.cooked : undefined;
}
