import { type CanActivate, type ExecutionContext, Injectable, UnauthorizedException } from '@nestjs/common';
import type { HttpRequest } from 'nestjs-async-endpoints';

/** A placeholder for your guard: identifies the sender of a request, or refuses it. */
@Injectable()
export class SignedIn implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (principalOf(context.switchToHttp().getRequest<HttpRequest>()) === null) throw new UnauthorizedException();
    return true;
  }
}

export function principalOf({ headers }: HttpRequest): string | null {
  const [, user] = /^Bearer token-of-(\w+)$/.exec(String(headers['authorization'])) ?? [];
  return user ?? null;
}

/** For `AsyncEndpointsModule.forRoot({ http })`. */
export const http = { guards: [SignedIn], owner: principalOf };
