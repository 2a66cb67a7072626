import { AsyncEndpointsError } from '../job/errors.js';

/** Where a listing stands: an index, and a place in it. */
type Position = readonly [unknown, unknown, unknown];

/** Newest first, where the next page begins: before this time, or number, and at one time before the second number. */
export type Before = readonly [kind: 'before', at: number, number: number];

export function isBefore([kind, at, number]: readonly unknown[]): boolean {
  return kind === 'before' && Number.isSafeInteger(at) && Number.isSafeInteger(number);
}

export function encodeCursor(position: Position): string {
  return JSON.stringify(position);
}

/** @throws AsyncEndpointsError `INVALID_OPTION` where it is none that `list` gave: it may come from a client */
export function decodeCursor<T extends Position>(cursor: string, isPlace: (position: Position) => boolean): T {
  try {
    const position = JSON.parse(cursor) as Position | null;
    if (Array.isArray(position) && position.length === 3 && isPlace(position)) return position as unknown as T;
  } catch {
    // not one of ours
  }
  throw new AsyncEndpointsError('INVALID_OPTION', `cursor is ${JSON.stringify(cursor)}; expected one that list gave.`);
}
