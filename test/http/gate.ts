/** Something that happens once, with a value: one side waits for it, the other brings it about. */
export class Gate<T = void> {
  open: (value: T) => void = () => {};
  readonly opened = new Promise<T>((resolve) => (this.open = resolve));
}
