import { BadRequestException, InternalServerErrorException } from '@nestjs/common';
import { AsyncEndpointsError, PermanentJobError, publicError, RetryJobError, toJobError } from './errors.js';

class UpstreamTimeoutError extends Error {
  override readonly name = 'UpstreamTimeoutError';
}

describe('The stored form of an error', () => {
  it.each([
    [new Error('boom'), { code: 'ERROR', message: 'boom', internal: true }],
    [new TypeError('no'), { code: 'TYPE_ERROR', message: 'no', internal: true }],
    [new UpstreamTimeoutError('late'), { code: 'UPSTREAM_TIMEOUT_ERROR', message: 'late', internal: true }],
    [
      Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }),
      { code: 'ECONNREFUSED', message: 'refused', internal: true },
    ],
    [
      new PermanentJobError('no', { code: 'CSV_INVALID', details: { line: 3 } }),
      { code: 'CSV_INVALID', message: 'no', details: { line: 3 } },
    ],
    ['just text', { code: 'UNKNOWN_ERROR', message: 'just text', internal: true }],
    [undefined, { code: 'UNKNOWN_ERROR', message: 'undefined', internal: true }],
    [null, { code: 'UNKNOWN_ERROR', message: 'null', internal: true }],
    [Object.create(null), { code: 'UNKNOWN_ERROR', message: 'An error that cannot be described.', internal: true }],
    [
      { message: 5, code: 17 },
      { code: 'UNKNOWN_ERROR', message: '[object Object]', internal: true },
    ],
  ])('%s', (thrown, kept) => {
    expect(toJobError(thrown)).toEqual(kept);
  });

  it('exists even when the thrown value cannot be read', () => {
    const thrown = {
      get code(): never {
        throw new Error('unreadable');
      },
    };
    expect(toJobError(thrown)).toEqual({ code: 'UNKNOWN_ERROR', message: '[object Object]', internal: true });
  });

  it('has no stack', () => {
    expect(JSON.stringify(toJobError(new Error('boom', { cause: new Error('deeper') })))).not.toContain('errors.spec');
  });

  it('is bounded, and has no details that are not JSON', () => {
    const cyclic: unknown[] = [];
    cyclic.push(cyclic);
    expect(toJobError(new Error('x'.repeat(10_000))).message).toHaveLength(2_000);
    expect(toJobError(new PermanentJobError('m', { details: cyclic }))).not.toHaveProperty('details');
    expect(toJobError(new PermanentJobError('m', { details: 'x'.repeat(20_000) }))).not.toHaveProperty('details');
    expect(toJobError(new PermanentJobError('m', { details: () => 1 }))).not.toHaveProperty('details');
  });
});

describe('The public form of an error', () => {
  it('is only its code unless the error is declared safe, because drivers put hosts and tables into messages', () => {
    const driver = Object.assign(new Error('connect ECONNREFUSED 10.1.2.3:5432'), {
      code: 'ECONNREFUSED',
      details: { sql: 'SELECT secret' },
    });
    const kept = toJobError(driver);
    expect(kept).toMatchObject({ message: 'connect ECONNREFUSED 10.1.2.3:5432', internal: true });
    expect(publicError(kept)).toEqual({
      code: 'ECONNREFUSED',
      message: 'The job failed because of an internal error.',
    });
  });

  it.each([
    [new PermanentJobError('shown'), 'shown'],
    [new RetryJobError('shown', 1), 'shown'],
    [new BadRequestException('shown'), 'shown'],
    [new InternalServerErrorException('shown'), 'shown'],
    [new AsyncEndpointsError('JOB_TIMEOUT'), 'The job ran longer than its timeout.'],
    [Object.assign(new Error('shown'), { expose: true }), 'shown'],
  ])('has its message when it is meant for clients: %s', (thrown, message) => {
    expect(publicError(toJobError(thrown))).toMatchObject({ message });
    expect(publicError(toJobError(thrown))).not.toHaveProperty('internal');
  });

  it('has the messages of a validation', () => {
    const invalid = new BadRequestException(['name must be a string', 'age must be a number']);
    expect(publicError(toJobError(invalid))).toEqual({
      code: 'BAD_REQUEST_EXCEPTION',
      message: 'Bad Request Exception',
      details: { messages: ['name must be a string', 'age must be a number'] },
    });
  });
});
