import { HttpException } from '@nestjs/common';
import type { HttpOptions, HttpRequest } from '../../options/options.js';

/** `http.owner` or `http.idempotencyScope` failed: a fault of the application. A client gets {@link OwnerError.DETAIL} only. */
export class OwnerError extends Error {
  static readonly DETAIL = 'It could not be found out who sent the request.';
}

/**
 * Who sends a request, by `http.owner` or `http.idempotencyScope`; null for nobody, also without the option.
 *
 * @throws OwnerError when the option throws anything but an `HttpException`, or returns anything but a string or null: an
 * object is another one after it was stored, and its job would belong to nobody
 */
export async function callerOf(
  http: Pick<HttpOptions, 'owner' | 'idempotencyScope'>,
  option: 'owner' | 'idempotencyScope',
  request: HttpRequest,
): Promise<string | null> {
  const value: unknown = await ask(`http.${option}`, http[option], request);
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return null;
  throw new OwnerError(
    `http.${option} returned a value of type ${typeof value}; expected a string, or null for nobody.`,
  );
}

async function ask(option: string, name: HttpOptions['owner'], request: HttpRequest): Promise<unknown> {
  try {
    return await name?.(request);
  } catch (cause) {
    if (cause instanceof HttpException) throw cause;
    throw new OwnerError(
      `${option} threw ${String(cause)}. It runs after the guards: is what it reads set by a guard of this route? Set ` +
        'http.guards for the status routes, and @UseGuards or a global guard for the endpoint; or have it return null, or throw ' +
        'an UnauthorizedException, for a request without a user.',
      { cause },
    );
  }
}
