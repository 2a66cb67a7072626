import { encodeExact, withExactNumbers } from './exact-json.js';
import type { DashboardShow } from './options.js';
import { redacted } from './redact.js';

/** What leaves the server of a stored value. */
function shown(json: string, redact?: DashboardShow['redact']): string {
  const value: unknown = JSON.parse(json);
  return encodeExact(redacted(value, { redact }, [], withExactNumbers(json, value)));
}

describe('A stored value that is shown', () => {
  it.each([
    ['a number', '9007199254740993'],
    [
      'numbers of every kind',
      '{"id":9007199254740993,"list":[-12345678901234567890,1.0,-0,1e400,0.1000000000000000055]}',
    ],
    [
      'texts of digits',
      '{"text":"9007199254740993","quoted":"\\"9007199254740993","9007199254740993":[1,2.5,true,null]}',
    ],
    ['the key __proto__', '{"__proto__":{"a":9007199254740993}}'],
    ['a long text', JSON.stringify({ escapes: '\\"'.repeat(100_000), long: 'x'.repeat(1_000_000) })],
  ])('has its numbers as they are stored: %s', (_what, json) => {
    expect(shown(json)).toBe(json);
    expect(shown(json, (_path, value) => value)).toBe(json);
  });

  it('gives decoded numbers to redact, and has no number that redact replaced', () => {
    const json = '{"a":{"ssn":9007199254740993},"b":[9007199254740993],"c":9007199254740993}';
    const types = new Set<string>();
    const redact = (path: readonly string[], value: unknown) => {
      if (JSON.stringify(value).includes('9007199254740993')) types.add('text');
      if (typeof value !== 'object') types.add(typeof value);
      if (path.at(-1) === 'a') Object.assign(value as object, { ssn: 0 });
      if (path[0] === 'b' && path.length === 2) return 7;
      return value;
    };
    expect(shown(json, redact)).toBe('{"a":{"ssn":0},"b":[7],"c":9007199254740993}');
    expect([...types]).toEqual(['number']);
  });

  it('has credentials masked, also when they are numbers', () => {
    expect(shown('{"password":9007199254740993,"id":9007199254740993}')).toBe(
      '{"password":"••••••","id":9007199254740993}',
    );
  });
});
