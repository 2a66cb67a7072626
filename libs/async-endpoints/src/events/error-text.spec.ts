import { printable } from './error-text.js';

describe('Text of others in a log', () => {
  it('has no escape sequence and no mark that turns its direction; line breaks and tabs stay', () => {
    expect(printable('a\u001b[2Jb\u202ec\u009bd\r\ne\tf')).toBe('a\\u001b[2Jb\\u202ec\\u009bd\\u000d\ne\tf');
    expect(printable('Bees — Ümläut 蜂 🐝')).toBe('Bees — Ümläut 蜂 🐝');
  });
});
