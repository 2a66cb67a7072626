import { readdirSync, readFileSync } from 'node:fs';
import ts from 'typescript';

const CALLS = new Set(['it', 'test', 'describe']);

/** The titles of all tests, and of what they are grouped in, by file. */
export function titlesByFile(root: string): ReadonlyMap<string, readonly string[]> {
  const files = ['test', 'libs/async-endpoints/src', 'libs/demo/src'].flatMap((folder) =>
    readdirSync(`${root}${folder}`, { recursive: true, encoding: 'utf8' }).map((path) => `${folder}/${path}`),
  );
  const sources = files.filter((file) => file.endsWith('.ts') && !file.includes('node_modules'));
  return new Map(sources.map((file) => [file, titlesOf(file, readFileSync(`${root}${file}`, 'utf8'))]));
}

function titlesOf(file: string, text: string): string[] {
  const titles: string[] = [];
  const look = (node: ts.Node): void => {
    const [first] = ts.isCallExpression(node) && CALLS.has(rootOf(node.expression)) ? node.arguments : [];
    if (first && ts.isStringLiteralLike(first)) titles.push(first.text);
    else if (first && ts.isTemplateExpression(first)) titles.push(first.getText());
    ts.forEachChild(node, look);
  };
  look(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return titles;
}

/** `it` of `it.each([…])`. */
function rootOf(callee: ts.Expression): string {
  if (ts.isIdentifier(callee)) return callee.text;
  if (ts.isPropertyAccessExpression(callee) || ts.isCallExpression(callee)) return rootOf(callee.expression);
  if (ts.isTaggedTemplateExpression(callee)) return rootOf(callee.tag);
  return '';
}
