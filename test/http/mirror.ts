import type { Type } from '@nestjs/common';
import { defineJob } from 'nestjs-async-endpoints';
import { handlerOf } from './reports.js';
import type { AppParts } from './start-app.js';

/** A job whose handler returns its payload. */
export const Mirror = defineJob<unknown, { got: unknown }>('Mirror');
export const MirrorHandler = handlerOf(Mirror, (got) => ({ got: got === undefined ? 'nothing' : got }));

export function mirroring(...controllers: Type[]): AppParts {
  return { controllers, providers: [MirrorHandler] };
}
