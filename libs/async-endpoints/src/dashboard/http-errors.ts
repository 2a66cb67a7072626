import {
  BadRequestException,
  type CallHandler,
  type ExecutionContext,
  type NestInterceptor,
  NotFoundException,
  ServiceUnavailableException,
} from '@nestjs/common';
import { catchError, type Observable } from 'rxjs';
import { AsyncEndpointsError } from '../job/errors.js';

/** Gives a status and a message to the errors that a visitor can do something about. All others go to the application's filters. */
export class HttpErrors implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(
      catchError((error: unknown) => {
        throw asHttp(error);
      }),
    );
  }
}

function asHttp(error: unknown): unknown {
  if (!(error instanceof AsyncEndpointsError)) return error;
  const { code, message } = error;
  if (code.startsWith('INVALID_')) return new BadRequestException(message);
  if (code.endsWith('_NOT_FOUND')) return new NotFoundException(message);
  const isTemporary = code.startsWith('STORE_') || code === 'QUEUE_FULL' || code === 'SHUTTING_DOWN';
  return isTemporary ? new ServiceUnavailableException(message) : error;
}
