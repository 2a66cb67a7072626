import { invalidOption } from '../job/errors.js';

/** The position of a listing: an index, and a place in it. */
type Position = readonly [unknown, unknown, unknown];

/**
 * Where the next page begins in a list that is newest first: before this time (or number), and for equal times before the second
 * number.
 */
export type Before = readonly [kind: 'before', at: number, number: number];

export function isBefore([kind, at, number]: readonly unknown[]): boolean {
  return kind === 'before' && Number.isSafeInteger(at) && Number.isSafeInteger(number);
}

export function encodeCursor(position: Position): string {
  return JSON.stringify(position);
}

/** @throws AsyncEndpointsError `INVALID_OPTION` when `list` did not create the cursor: it may come from a client */
export function decodeCursor<T extends Position>(cursor: string, isPlace: (position: Position) => boolean): T {
  try {
    const position = JSON.parse(cursor) as Position | null;
    if (Array.isArray(position) && position.length === 3 && isPlace(position)) return position as unknown as T;
  } catch {
    // not created by encodeCursor
  }
  throw invalidOption(`cursor is ${JSON.stringify(cursor)}; expected one that list gave.`);
}
