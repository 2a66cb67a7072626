import type { HttpOptions, HttpRequest } from '../options.js';

/**
 * Who sends a request, as `http.owner` says; `null` for nobody.
 *
 * @throws TypeError for anything but a string: an object is another one after it was stored, and its job nobody's
 */
export async function principalOf(
  owner: NonNullable<HttpOptions['owner']>,
  request: HttpRequest,
): Promise<string | null> {
  const principal = ((await owner(request)) ?? null) as unknown;
  if (principal === null || typeof principal === 'string') return principal;
  throw new TypeError(
    `http.owner returned a value of type ${typeof principal}; expected a string, or null for nobody.`,
  );
}
