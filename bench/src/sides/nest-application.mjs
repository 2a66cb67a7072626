import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { Body, Controller, Get, HttpCode, Module, Param, Post, Res } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter } from '@nestjs/platform-express';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { AsyncEndpoint, AsyncEndpointsModule } from './library.mjs';
import { Noop } from './our-application.mjs';
import { JOB_NAME } from './work.mjs';

const ADAPTERS = { Express: ExpressAdapter, Fastify: FastifyAdapter };

/** A Nest application that listens on a free port. */
export async function listen(adapter, module) {
  const app = await NestFactory.create(module, new ADAPTERS[adapter](), { logger: ['error'] });
  await app.listen(0, '127.0.0.1');
  const { port } = app.getHttpServer().address();
  return { app, url: `http://127.0.0.1:${port}` };
}

/** `POST /jobs/new`, which submits a job. */
export function ours(store, options = {}) {
  class NoopController {
    create(request) {
      return request;
    }
  }
  Body()(NoopController.prototype, 'create', 0);
  decorate(NoopController, 'create', Post('new'), AsyncEndpoint(Noop));
  return root(NoopController, [
    AsyncEndpointsModule.forRoot({
      role: 'api',
      store,
      jobs: { maxQueueSize: 100_000_000, maxQueueBytes: 1e12 },
      ...options,
    }),
  ]);
}

/** The same route without any queue. */
export function plain() {
  class NoopController {
    create(request) {
      return request;
    }
  }
  Body()(NoopController.prototype, 'create', 0);
  decorate(NoopController, 'create', Post('new'), HttpCode(202));
  return root(NoopController);
}

/** The same route, which inserts one row. */
export function inserting(pool) {
  const table =
    'CREATE SCHEMA IF NOT EXISTS plain; CREATE TABLE IF NOT EXISTS plain.job (id bigserial PRIMARY KEY, payload text)';
  const ready = pool.query(table);

  class NoopController {
    async create(request) {
      await ready;
      const insert = 'INSERT INTO plain.job (payload) VALUES ($1) RETURNING id';
      const { rows } = await pool.query(insert, [JSON.stringify(request)]);
      return { id: rows[0].id };
    }
  }
  Body()(NoopController.prototype, 'create', 0);
  decorate(NoopController, 'create', Post('new'), HttpCode(202));
  return root(NoopController);
}

/** The same route without any queue, with the headers and the body of a 202. */
export function answering() {
  class NoopController {
    create(_request, response) {
      const id = randomUUID();
      const [self, now] = [`/async-endpoints/jobs/${id}`, new Date().toISOString()];
      const headers = { Location: self, 'X-Async-Request-Id': id, 'Retry-After': '1' };
      for (const [name, value] of Object.entries(headers)) response.header(name, value);
      const times = { createdAt: now, startedAt: null, completedAt: null, lastUpdatedAt: now };
      const links = { self, result: `${self}/result`, events: `${self}/events` };
      const counts = { retryCount: 0, maxRetries: 3 };
      return {
        id,
        name: JOB_NAME,
        status: 'Queued',
        ...counts,
        ...times,
        progress: null,
        result: null,
        error: null,
        links,
      };
    }
  }
  Body()(NoopController.prototype, 'create', 0);
  Res({ passthrough: true })(NoopController.prototype, 'create', 1);
  decorate(NoopController, 'create', Post('new'), HttpCode(202));
  return root(NoopController);
}

/** The same route with BullMQ, and a status route. */
export function bullmq(queue) {
  class NoopController {
    async create(request) {
      const { id } = await queue.add(JOB_NAME, request);
      return { id };
    }

    async status(id) {
      const job = await queue.getJob(id);
      const status = await job.getState();
      return { id, status, result: job.returnvalue };
    }
  }
  Body()(NoopController.prototype, 'create', 0);
  decorate(NoopController, 'create', Post('new'), HttpCode(202));
  Param('id')(NoopController.prototype, 'status', 0);
  decorate(NoopController, 'status', Get(':id'));
  return root(NoopController);
}

function root(controller, imports = []) {
  const Root = function Root() {};
  Controller('jobs')(controller);
  Module({ imports, controllers: [controller] })(Root);
  return Root;
}

/** Calls decorators by hand, because there is no build step. The last one is applied first, as in TypeScript. */
function decorate(target, name, ...decorators) {
  const descriptor = Object.getOwnPropertyDescriptor(target.prototype, name);
  for (const decorator of decorators.toReversed()) decorator(target.prototype, name, descriptor);
  Object.defineProperty(target.prototype, name, descriptor);
}
