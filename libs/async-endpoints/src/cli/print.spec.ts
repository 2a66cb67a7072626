import { escaped } from './print.js';

describe('What the command-line tool prints', () => {
  it.each([
    ['\u001b[31mred\u0007', '\\u001b[31mred\\u0007'],
    ['a\u202eb\u2066c\u200b', 'a\\u202eb\\u2066c\\u200b'],
    ['\r\u0085\u2028', '\\u000d\\u0085\\u2028'],
    ['\ud800', '\\ud800'],
    ['plain — é 中 😀\n', 'plain — é 中 😀\n'],
  ])('shows what controls a terminal or the direction of text: %j', (text, shown) => {
    expect(escaped(text)).toBe(shown);
  });

  it('means the same as JSON', () => {
    const value = { name: '\u001b[2J\u202e\u2028\ud800' };
    expect(JSON.parse(escaped(JSON.stringify(value)))).toEqual(value);
  });
});
