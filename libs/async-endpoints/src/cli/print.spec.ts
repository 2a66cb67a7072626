import { escaped } from './print.js';

describe('The output of the command-line tool', () => {
  it.each([
    ['\u001b[31mred\u0007', '\\u001b[31mred\\u0007'],
    ['a\u202eb\u2066c\u200b', 'a\\u202eb\\u2066c\\u200b'],
    ['\r\u0085\u2028', '\\u000d\\u0085\\u2028'],
    ['\ud800', '\\ud800'],
    ['plain — é 中 😀\n', 'plain — é 中 😀\n'],
  ])('escapes characters that control a terminal or the direction of text: %j', (text, shown) => {
    expect(escaped(text)).toBe(shown);
  });

  it('is valid JSON with the same value', () => {
    const value = { name: '\u001b[2J\u202e\u2028\ud800' };
    expect(JSON.parse(escaped(JSON.stringify(value)))).toEqual(value);
  });
});
