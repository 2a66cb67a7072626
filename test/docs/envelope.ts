import { type CallHandler, type ExecutionContext, Injectable, type NestInterceptor } from '@nestjs/common';
import { Reflector } from '@nestjs/core';
import { map } from 'rxjs';

/** Marks a controller or method whose responses are not wrapped. */
export const NoEnvelope = Reflector.createDecorator<true>();

@Injectable()
export class EnvelopeInterceptor implements NestInterceptor {
  constructor(private readonly reflector: Reflector) {}

  intercept(context: ExecutionContext, next: CallHandler) {
    const targets = [context.getHandler(), context.getClass()];
    if (this.reflector.getAllAndOverride(NoEnvelope, targets)) return next.handle();
    return next.handle().pipe(map((data: unknown) => ({ data })));
  }
}

/** For `AsyncEndpointsModule.forRoot({ http })`: the status routes. */
export const http = { decorators: [NoEnvelope(true)] };
