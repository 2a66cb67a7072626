import type { Job } from './server.js';

export function isOver({ status }: Job): boolean {
  return ['Completed', 'Failed', 'Canceled'].includes(status);
}

/** How many attempts have begun: those that ended, and the present one. */
export function attemptsOf({ retryCount, crashes, status, startedAt }: Job): number {
  const isRun = status === 'InProgress' || status === 'Completed' || status === 'Failed';
  return retryCount + crashes + (isRun && startedAt !== null ? 1 : 0);
}
