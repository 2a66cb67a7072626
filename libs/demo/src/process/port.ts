const HIGHEST_PORT = 65_535;

/**
 * @param fallback for no text
 * @throws RangeError where the text is no port; 0 is one, for any that is free
 */
export function parsePort(text: string | undefined, fallback = 3000): number {
  if (text === undefined || text.trim() === '') return fallback;
  const port = /^\d+$/.test(text.trim()) ? Number(text) : NaN;
  if (port >= 0 && port <= HIGHEST_PORT) return port;
  throw new RangeError(`PORT is ${JSON.stringify(text)}; expected a whole number from 0 to ${HIGHEST_PORT}.`);
}
