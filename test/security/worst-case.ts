import { type AST, RegExpParser } from '@eslint-community/regexpp';
import ts from 'typescript';

export interface FoundRegExp {
  readonly source: string;
  readonly flags: string;
}

const parser = new RegExpParser({ ecmaVersion: 2024 });
/** One of these is in every character class that is in use. */
const SAMPLES = ['0', 'a', ' ', '\n', '\t', '"', '\\', '.', '-', '_', '/', ':', 'é', '\u0001'];

/** Every regular expression literal of a file, and whether the file makes others from text. */
export function regExpsOf(file: string, text: string): { literals: FoundRegExp[]; isDynamic: boolean } {
  const literals: FoundRegExp[] = [];
  let isDynamic = false;
  const look = (node: ts.Node): void => {
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/');
      literals.push({ source: node.text.slice(1, end), flags: node.text.slice(end + 1) });
    }
    isDynamic ||= (ts.isNewExpression(node) || ts.isCallExpression(node)) && node.expression.getText() === 'RegExp';
    ts.forEachChild(node, look);
  };
  look(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true));
  return { literals, isDynamic };
}

/**
 * For each quantifier without an upper bound: a text that reaches it, then matches it `length` times, then nothing more.
 * And each sample repeated, for what is found at any place of a text.
 */
export function worstCasesOf({ source, flags }: FoundRegExp, length: number): string[] {
  const pattern = parser.parsePattern(source, 0, source.length, { unicode: flags.includes('u') });
  const cases = SAMPLES.map((sample) => sample.repeat(length));
  const look = (alternatives: readonly AST.Alternative[], before: string): void => {
    for (const { elements } of alternatives) {
      let reached = before;
      for (const element of elements) {
        const repeated = element.type === 'Quantifier' ? element.element : element;
        if (element.type === 'Quantifier' && element.max === Infinity) {
          const one = matchOf(element.element) || 'a';
          cases.push(`${reached}${one.repeat(length)}\0`);
        }
        if ('alternatives' in repeated) look(repeated.alternatives, reached);
        reached += matchOf(element);
      }
    }
  };
  look(pattern.alternatives, '');
  return cases;
}

/** A short text that the element matches. */
function matchOf(element: AST.Element): string {
  switch (element.type) {
    case 'Character':
      return String.fromCodePoint(element.value);
    case 'CharacterSet':
    case 'CharacterClass': {
      const isMember = new RegExp(element.raw, 'u');
      const named = 'elements' in element ? element.elements.flatMap(charactersOf) : [];
      return [...named, ...SAMPLES].find((sample) => isMember.test(sample)) ?? '';
    }
    case 'Quantifier':
      return matchOf(element.element).repeat(Math.max(element.min, element.max === 0 ? 0 : 1));
    case 'Group':
    case 'CapturingGroup':
      return (element.alternatives[0]?.elements ?? []).map(matchOf).join('');
    case 'Backreference':
      return [element.resolved]
        .flat()
        .map((group) => matchOf(group))
        .join('');
    default:
      return '';
  }
}

function charactersOf(element: AST.CharacterClassElement | AST.ClassSetOperand): string[] {
  if (element.type === 'Character') return [String.fromCodePoint(element.value)];
  return element.type === 'CharacterClassRange' ? [String.fromCodePoint(element.min.value)] : [];
}
