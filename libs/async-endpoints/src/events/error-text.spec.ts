import { printable } from './error-text.js';

describe('Foreign text in a log', () => {
  it('loses escape sequences and direction marks, and keeps line breaks and tabs', () => {
    expect(printable('a\u001b[2Jb\u202ec\u009bd\r\ne\tf')).toBe('a\\u001b[2Jb\\u202ec\\u009bd\\u000d\ne\tf');
    expect(printable('Bees — Ümläut 蜂 🐝')).toBe('Bees — Ümläut 蜂 🐝');
  });
});
