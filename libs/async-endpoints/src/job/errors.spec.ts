import { PermanentJobError, toJobError } from './errors.js';

class UpstreamTimeoutError extends Error {
  override readonly name = 'UpstreamTimeoutError';
}

describe('What is kept of an error', () => {
  it.each([
    [new Error('boom'), { code: 'ERROR', message: 'boom' }],
    [new TypeError('no'), { code: 'TYPE_ERROR', message: 'no' }],
    [new UpstreamTimeoutError('late'), { code: 'UPSTREAM_TIMEOUT_ERROR', message: 'late' }],
    [Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }), { code: 'ECONNREFUSED', message: 'refused' }],
    [
      new PermanentJobError('no', { code: 'CSV_INVALID', details: { line: 3 } }),
      { code: 'CSV_INVALID', message: 'no', details: { line: 3 } },
    ],
    ['just text', { code: 'UNKNOWN_ERROR', message: 'just text' }],
    [undefined, { code: 'UNKNOWN_ERROR', message: 'undefined' }],
    [null, { code: 'UNKNOWN_ERROR', message: 'null' }],
    [Object.create(null), { code: 'UNKNOWN_ERROR', message: 'An error that cannot be described.' }],
    [
      { message: 5, code: 17 },
      { code: 'UNKNOWN_ERROR', message: '[object Object]' },
    ],
  ])('%s (D-30)', (thrown, kept) => {
    expect(toJobError(thrown)).toEqual(kept);
  });

  it('is something also where it cannot be read', () => {
    const thrown = {
      get code(): never {
        throw new Error('unreadable');
      },
    };
    expect(toJobError(thrown)).toEqual({ code: 'UNKNOWN_ERROR', message: '[object Object]' });
  });

  it('is never a stack (D-25)', () => {
    expect(JSON.stringify(toJobError(new Error('boom', { cause: new Error('deeper') })))).not.toContain('errors.spec');
  });

  it('is bounded, and drops details that are no JSON', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    expect(toJobError(new Error('x'.repeat(10_000))).message).toHaveLength(2_000);
    expect(toJobError(new PermanentJobError('m', { details: cyclic }))).not.toHaveProperty('details');
    expect(toJobError(new PermanentJobError('m', { details: 'x'.repeat(20_000) }))).not.toHaveProperty('details');
    expect(toJobError(new PermanentJobError('m', { details: () => 1 }))).not.toHaveProperty('details');
  });
});
