import { Logger } from '@nestjs/common';
import { logError } from './observability/error-text.js';
import { Wait } from './wait.js';

/** Twice as long as a call to Redis may take. */
const MOST_MS = 10_000;

/**
 * Waits for a call to the store at shutdown, which may be one of the application's own: no longer than 10 s, and whatever it
 * throws, so that the rest of the application is closed. Then a line in the log says so.
 */
export async function lastCall(purpose: string, call: Promise<void>): Promise<void> {
  const deadline = new Wait(MOST_MS);
  const late = deadline.ended.then(() => Promise.reject(new Error(`It has not answered within ${MOST_MS} ms.`)));
  try {
    await Promise.race([call, late]);
  } catch (error) {
    logError(new Logger('AsyncEndpoints'), `The job store was asked to ${purpose}, and did not`, error);
  } finally {
    late.catch(() => {});
    deadline.end();
  }
}
