const HIGHEST_PORT = 65_535;

/**
 * @param fallback used without a text
 * @throws RangeError when the text is not a port; 0 means any free port
 */
export function parsePort(text: string | undefined, fallback = 3000): number {
  if (text === undefined || text.trim() === '') return fallback;
  const port = /^\d+$/.test(text.trim()) ? Number(text) : NaN;
  if (port >= 0 && port <= HIGHEST_PORT) return port;
  throw new RangeError(`PORT is ${JSON.stringify(text)}; expected a whole number from 0 to ${HIGHEST_PORT}.`);
}
