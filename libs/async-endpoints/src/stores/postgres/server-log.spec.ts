import { AsyncEndpointsError } from '../../job/errors.js';
import { ServerLog } from './server-log.js';

describe('The log about the server', () => {
  let [now, said] = [0, [] as string[]];
  let log: ServerLog;

  beforeEach(() => {
    [now, said] = [0, []];
    log = new ServerLog(
      (message) => said.push(message),
      () => now,
    );
  });

  it('has one line when calls fail and one when they succeed again, and none about failures before the first reply', () => {
    log.failed(new Error('ECONNREFUSED'));
    expect(said).toEqual([]);
    log.replied();
    log.failed(new Error('timeout'));
    log.failed(new Error('ECONNREFUSED'));
    log.replied();
    log.replied();
    expect(said).toEqual([
      'PostgreSQL can be used again',
      'PostgreSQL cannot be used: timeout; retrying',
      'PostgreSQL can be used again',
    ]);
  });

  it('has one line for each kind of refusal, and one when none has occurred for 10 s, although reads succeed meanwhile', () => {
    log.replied();
    const error = log.refused('STORE_FULL', new Error('could not extend file'));
    expect(error).toBeInstanceOf(AsyncEndpointsError);
    expect(error.code).toBe('STORE_FULL');
    for (now = 1_000; now < 20_000; now += 1_000) {
      if (now === 9_000) log.refused('STORE_FULL', new Error('could not extend file'));
      log.replied();
    }
    log.refused('STORE_READ_ONLY', new Error('cannot execute INSERT in a read-only transaction'));
    expect(said).toEqual([
      'PostgreSQL has no room to grow: could not extend file',
      'PostgreSQL has refused no change for 10 s',
      'PostgreSQL accepts no changes: cannot execute INSERT in a read-only transaction',
    ]);
  });
});
