const COPIES = Symbol.for('nestjs-async-endpoints:copies');

/** One entry for each copy of the library that this process has loaded: two do not know each other's decorators and classes. */
const copies = ((globalThis as unknown as Record<symbol, Set<symbol> | undefined>)[COPIES] ??= new Set());
copies.add(Symbol('copy'));

export function countCopies(): number {
  return copies.size;
}
