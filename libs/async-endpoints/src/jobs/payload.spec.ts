import { createHash } from 'node:crypto';
import { assert, jsonValue, property } from 'fast-check';
import { defineJob } from '../job/define-job.js';
import { resolveJobPolicy, resolveOptions } from '../options/resolve.js';
import { fingerprint } from './payload.js';
import { newJob } from './new-job.js';

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

  it('treats "__proto__" as a key like any other', () => {
    expect(fingerprint(JSON.parse('{"__proto__":1}'))).not.toBe(fingerprint({}));
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
  });

  it('does not change between releases, for any JSON', () => {
    assert(
      property(jsonValue({ maxDepth: 4 }), (value) => {
        const text = JSON.stringify(value, inKeyOrder);
        expect(fingerprint(value)).toBe(createHash('sha256').update(text).digest('base64url'));
      }),
    );
    const odd = { when: new Date(0), n: NaN, 10: 1, 9: [undefined, new Number(3)], none: undefined, f: () => 1 };
    const text = '{"9":[null,3],"10":1,"n":null,"when":"1970-01-01T00:00:00.000Z"}';
    expect(fingerprint(odd)).toBe(createHash('sha256').update(text).digest('base64url'));
  });
});

describe('A submission', () => {
  it('that is too large is refused before its fingerprint is computed', () => {
    const policy = resolveJobPolicy(defineJob('Big', { maxPayloadBytes: 10 }), resolveOptions({}, {}).jobs);
    const made: string[] = [];
    const options = { idempotencyKey: 'k', fingerprint: () => (made.push('made'), 'f') };
    expect(() => newJob(policy, 'x'.repeat(100), options)).toThrow('larger than the 10 bytes');
    expect(made).toEqual([]);
  });
});

/** How the first release put keys in order. */
function inKeyOrder(_key: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1)));
}
