import { parsePort } from '@app/demo';

describe('PORT', () => {
  it.each([
    [undefined, 3000],
    ['', 3000],
    [' ', 3000],
    ['0', 0],
    ['8080', 8080],
    [' 8080 ', 8080],
    ['65535', 65_535],
  ])('%j means %i', (text, port) => {
    expect(parsePort(text)).toBe(port);
  });

  it.each(['abc', '65536', '-1', '80.5', '0x50', '1e3', '80 81', '٣'])('refuses %s', (text) => {
    expect(() => parsePort(text)).toThrow(`PORT is "${text}"; expected a whole number from 0 to 65535.`);
  });
});
