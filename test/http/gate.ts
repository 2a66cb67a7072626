/** An event with a value that happens once: one side waits for it, the other triggers it. */
export class Gate<T = void> {
  open: (value: T) => void = () => {};
  readonly opened = new Promise<T>((resolve) => (this.open = resolve));
}
