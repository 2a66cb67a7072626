import { Inject, Injectable, type Type } from '@nestjs/common';
import { ApplicationConfig, HttpAdapterHost } from '@nestjs/core';
import { INTERCEPTORS_METADATA } from '../../nest/internals.js';
import type { Reply } from '../../options/options.js';
import { STATUS_CONTROLLER } from './job-links.js';
import { writeHeaders } from './reply.filter.js';
import { JsonBody, textOfBody } from './job-body.js';

type Fields = Readonly<Record<string | symbol, unknown>>;

/** The route that is answered: a status route, or the classes and methods on which interceptors of an endpoint may be declared. */
export type Route = 'status' | readonly object[];

/**
 * Writes responses. A job is sent as text, with its result as it is stored, unless code of the application reads the body before
 * it is text: an interceptor, or what Express and Fastify do to JSON. What is not known counts as a reader.
 */
@Injectable()
export class ResponseWriter {
  #areAllIntercepted: boolean | undefined;
  #statusRoutes: readonly object[] | undefined;
  /** Whether the application reads what is answered, by route of Fastify. */
  readonly #routes = new WeakMap<object, boolean>();

  constructor(
    @Inject(STATUS_CONTROLLER) private readonly controller: Type | null,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
    @Inject(HttpAdapterHost) private readonly host: HttpAdapterHost,
  ) {}

  /** Writes status and headers. Nest writes the returned body, and as JSON only when it is an object. */
  write(response: unknown, { status, headers, body: given }: Reply, route: Route): unknown {
    const { httpAdapter } = this.host;
    const isText = given instanceof JsonBody && !this.#isRead(response, route);
    const body = given instanceof JsonBody && !isText ? given.value : given;
    const isScalar = body !== undefined && typeof body !== 'object';
    if (isScalar) httpAdapter.setHeader(response, 'Content-Type', 'application/json');
    writeHeaders(httpAdapter, response, headers);
    if (isText) httpAdapter.setHeader(response, 'Content-Type', 'application/json');
    httpAdapter.status(response, status);
    return isScalar || isText ? textOfBody(body) : body;
  }

  #isRead(response: unknown, route: Route): boolean {
    const type = this.host.httpAdapter.getType();
    if (type === 'fastify') return this.#isReadByFastify(response as never, route);
    return type !== 'express' || this.#isIntercepted(route) || isReadByExpress(response as never);
  }

  #isIntercepted(route: Route): boolean {
    // Not before the first request: interceptors are set after the module was made.
    if ((this.#areAllIntercepted ??= this.#hasGlobalInterceptors())) return true;
    const targets = route === 'status' ? (this.#statusRoutes ??= this.#targetsOfStatusRoutes()) : route;
    return targets.some((target) => Reflect.hasMetadata(INTERCEPTORS_METADATA, target));
  }

  #hasGlobalInterceptors(): boolean {
    const { config } = this;
    return config.getGlobalInterceptors().length + config.getGlobalRequestInterceptors().length > 0;
  }

  #targetsOfStatusRoutes(): readonly object[] {
    const { prototype } = this.controller as Type;
    const members = Object.values(Object.getOwnPropertyDescriptors(prototype as object));
    return members.flatMap(({ value }) => (typeof value === 'function' ? (value as object) : []));
  }

  #isReadByFastify(reply: { readonly request: object }, route: Route): boolean {
    const context = field(reply.request, 'fastify.context') as Fields | undefined;
    if (!context || field(reply, 'fastify.reply.serializer') !== null) return true;
    let isRead = this.#routes.get(context);
    if (isRead === undefined) {
      const { preSerialization, schema } = context as { preSerialization: unknown; schema?: { response?: unknown } };
      isRead =
        preSerialization !== null ||
        !!schema?.response ||
        field(context, 'fastify.replySerializerDefault') !== null ||
        this.#isIntercepted(route);
      this.#routes.set(context, isRead);
    }
    return isRead;
  }
}

/** Which functions wrap `response.json`, and which settings change what it writes. */
function isReadByExpress(response: { readonly app: { get(setting: string): unknown } }): boolean {
  const ofApplication = Object.getPrototypeOf(response) as object;
  if (Object.hasOwn(response, 'json') || Object.hasOwn(ofApplication, 'json')) return true;
  return ['json replacer', 'json spaces', 'json escape'].some((setting) => Boolean(response.app.get(setting)));
}

const symbols = new Map<string, symbol>();

/** A field that Fastify keeps under a symbol of its own; undefined when there is none, as in another version. */
function field(of: object, description: string): unknown {
  let symbol = symbols.get(description);
  if (symbol === undefined || !Object.hasOwn(of, symbol)) {
    symbol = Object.getOwnPropertySymbols(of).find((own) => own.description === description);
    if (symbol) symbols.set(description, symbol);
  }
  return symbol && (of as Fields)[symbol];
}
