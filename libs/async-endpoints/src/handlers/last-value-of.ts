import { lastValueFrom, Observable, takeUntil } from 'rxjs';

/** The last value of what a handler returned, or undefined; unsubscribes, and rejects with the reason, when the run should end. */
export function lastValueOf(result: Observable<unknown>, signal: AbortSignal): Promise<unknown> {
  const aborted = new Observable<never>((subscriber) => {
    const end = () => subscriber.error(signal.reason);
    if (signal.aborted) return end();
    signal.addEventListener('abort', end, { once: true });
    return () => signal.removeEventListener('abort', end);
  });
  return lastValueFrom(result.pipe(takeUntil(aborted)), { defaultValue: undefined });
}
