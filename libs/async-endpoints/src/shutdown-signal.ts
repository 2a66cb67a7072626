/**
 * Calls the listener the moment SIGTERM arrives, whatever the hooks of other modules wait for. It listens only where
 * somebody else does too: a listener alone would keep the signal from ending the process.
 */
export class ShutdownSignal {
  constructor(private readonly listener: () => void) {}

  /** Whether anybody listens. May be called again: the application's listener may come later than we do. */
  open(): boolean {
    this.close();
    if (process.listenerCount('SIGTERM') === 0) return false;
    // Once: Nest sends the signal anew at the end, and that one must end the process.
    process.once('SIGTERM', this.listener);
    return true;
  }

  close(): void {
    process.off('SIGTERM', this.listener);
  }
}
