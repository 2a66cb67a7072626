import { AsyncEndpointsError } from '../job/errors.js';

/** Where a listing stands: an index, and a place in it. */
type Position = readonly [unknown, unknown, unknown];

export function encodeCursor(position: Position): string {
  return JSON.stringify(position);
}

/** @throws AsyncEndpointsError `INVALID_OPTION` where it is none that `list` gave */
export function decodeCursor<T extends Position>(cursor: string): T {
  try {
    const position = JSON.parse(cursor) as unknown;
    if (Array.isArray(position) && position.length === 3) return position as unknown as T;
  } catch {
    // not one of ours
  }
  throw new AsyncEndpointsError('INVALID_OPTION', `cursor is ${JSON.stringify(cursor)}; expected one that list gave.`);
}
