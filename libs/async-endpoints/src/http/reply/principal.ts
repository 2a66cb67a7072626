import { HttpException } from '@nestjs/common';
import type { HttpOptions, HttpRequest } from '../../options/options.js';

/** `http.owner` failed: a fault of the application, of which a client learns no more than that. */
export class OwnerError extends Error {
  static readonly DETAIL = 'It could not be found out who sent the request.';
}

/**
 * Who sends a request, as `http.owner` says; `null` for nobody.
 *
 * @throws OwnerError where it throws anything but an `HttpException`, or returns anything but a string: an object is another
 * one after it was stored, and its job nobody's
 */
export async function principalOf(
  owner: NonNullable<HttpOptions['owner']>,
  request: HttpRequest,
): Promise<string | null> {
  return stringOrNull('http.owner', await ask('http.owner', owner, request));
}

/**
 * Within what an idempotency key counts, as `http.idempotencyScope` says; `null` for everybody.
 *
 * @throws OwnerError for anything but a string
 */
export async function scopeOf(
  scope: NonNullable<HttpOptions['idempotencyScope']>,
  request: HttpRequest,
): Promise<string | null> {
  return stringOrNull('http.idempotencyScope', await ask('http.idempotencyScope', scope, request));
}

function stringOrNull(option: string, value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (value === null || value === undefined) return null;
  throw new OwnerError(`${option} returned a value of type ${typeof value}; expected a string, or null for nobody.`);
}

async function ask(option: string, name: NonNullable<HttpOptions['owner']>, request: HttpRequest): Promise<unknown> {
  try {
    return await name(request);
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
