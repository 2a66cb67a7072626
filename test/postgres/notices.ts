import { type JobStore, STORE_NOTICE } from 'nestjs-async-endpoints';

/** What a store says, from now until the test ends. */
export function noticesOf(store: JobStore): string[] {
  const notices: string[] = [];
  const listener = (event: unknown) => {
    const { store: from, message } = event as { store: unknown; message: string };
    if (from === store) notices.push(message);
  };
  STORE_NOTICE.subscribe(listener);
  onTestFinished(() => STORE_NOTICE.unsubscribe(listener));
  return notices;
}
