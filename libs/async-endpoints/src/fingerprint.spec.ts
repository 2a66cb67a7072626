import { fingerprint } from './fingerprint.js';

describe('A fingerprint', () => {
  it('is the same whatever the order of keys, at any depth', () => {
    expect(fingerprint({ a: 1, b: { c: [1, 2], d: null } })).toBe(fingerprint({ b: { d: null, c: [1, 2] }, a: 1 }));
  });

  it('differs with any value, type, or order of a list', () => {
    const prints = [{ a: 1 }, { a: '1' }, { a: [1, 2] }, { a: [2, 1] }, {}, null, undefined, '', Buffer.from('x')].map(
      fingerprint,
    );
    expect(new Set(prints).size).toBe(prints.length);
  });

  it('takes "__proto__" from a client as a key like any other', () => {
    expect(fingerprint(JSON.parse('{"__proto__":1}'))).not.toBe(fingerprint({}));
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });
});
