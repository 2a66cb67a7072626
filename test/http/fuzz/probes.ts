import { Body, Controller, Delete, Patch, Post, Put } from '@nestjs/common';
import { AsyncEndpoint, defineJob } from 'nestjs-async-endpoints';
import { handlerOf } from '../reports.js';
import { CREDENTIAL } from './hostile-request.js';

export interface Probed {
  /** As the handler got it. */
  readonly request: unknown;
  readonly polluted: string[];
  readonly sawCredentials: boolean;
}

export const Probe = defineJob<unknown, Probed>('Probe', { maxRetries: 0 });

@Controller('probes')
export class ProbesController {
  @Post()
  @AsyncEndpoint(Probe)
  create(@Body() body: unknown) {
    return body;
  }

  @Post(':name')
  @AsyncEndpoint(Probe)
  post(@Body() body: unknown) {
    return body;
  }

  @Put(':name')
  @AsyncEndpoint(Probe)
  put(@Body() body: unknown) {
    return body;
  }

  @Patch(':name')
  @AsyncEndpoint(Probe)
  patch(@Body() body: unknown) {
    return body;
  }

  @Delete(':name')
  @AsyncEndpoint(Probe)
  delete(@Body() body: unknown) {
    return body;
  }
}

/** Tells what it was given, and what a polluted prototype would give every object. */
export const ProbeHandler = handlerOf(Probe, (request, { headers, queryParams, routeParams }) => ({
  request,
  polluted: pollution(),
  sawCredentials: JSON.stringify([[...headers], [...queryParams], [...routeParams]]).includes(CREDENTIAL),
}));

const PROTOTYPES = [Object.prototype, Array.prototype, Function.prototype, String.prototype];
const BEFORE = PROTOTYPES.map((prototype) => Reflect.ownKeys(prototype).length);

/** What was put into the prototypes of everything since this file was loaded. */
export function pollution(): string[] {
  return PROTOTYPES.flatMap((prototype, index) => Reflect.ownKeys(prototype).slice(BEFORE[index]).map(String));
}
