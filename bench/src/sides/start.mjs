import 'reflect-metadata';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { serve } from '../child.mjs';
import { heapBytes } from './work.mjs';

let library;

/** How long it takes to import the library where Nest is imported already, in ms: on the clock, and of CPU time. */
async function importLibrary() {
  const [before, startedAt] = [process.cpuUsage(), performance.now()];
  library = await import('./library-only.mjs');
  const ms = performance.now() - startedAt;
  const { user, system } = process.cpuUsage(before);
  return { ms, cpuMs: (user + system) / 1_000 };
}

/** The heap with an application that listens and has nothing to do: with the module if the library was imported. */
async function heapOfIdle() {
  const Root = function Root() {};
  Module({ imports: library ? [library.AsyncEndpointsModule.forRoot()] : [] })(Root);
  const app = await NestFactory.create(Root, new ExpressAdapter(), { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  const bytes = heapBytes();
  await app.close();
  return bytes;
}

serve({ importLibrary, heapOfIdle });
