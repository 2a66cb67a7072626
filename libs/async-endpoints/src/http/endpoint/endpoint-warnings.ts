import { type CanActivate, Inject, Injectable, Logger, type OnModuleInit, type Type } from '@nestjs/common';
import { ApplicationConfig, DiscoveryService } from '@nestjs/core';
import { GUARDS_METADATA } from '../../nest/internals.js';
import { OPTIONS, type ResolvedOptions } from '../../options/options.js';
import { BodyReadGuard } from './body-read.guard.js';
import { withheldMessage } from './declared-values.js';
import { discoverEndpoints, type Endpoint } from './endpoints.js';

type Guards = (CanActivate | Type<CanActivate>)[] | undefined;

/** Warns at boot of endpoints that probably do not work as their author expects. */
@Injectable()
export class EndpointWarnings implements OnModuleInit {
  readonly #logger = new Logger('AsyncEndpoints');

  constructor(
    @Inject(DiscoveryService) private readonly discovery: DiscoveryService,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
  ) {}

  onModuleInit(): void {
    const endpoints = discoverEndpoints(this.discovery);
    for (const { values, where } of endpoints) {
      for (const value of values.withheld) this.#logger.warn(withheldMessage(where, value));
    }
    const { owner, idempotencyScope } = this.options.http;
    if (owner || idempotencyScope || !endpoints.some((endpoint) => this.#isGuarded(endpoint))) return;
    this.#logger.warn(
      'Guards are in use, but http.owner is not set: an Idempotency-Key that one caller has used answers every other with ' +
        'the same job and its result. Set http.owner, or http.idempotencyScope to a function that names the caller.',
    );
  }

  /** True when there are guards: such an application tells callers apart. */
  #isGuarded({ method, controller }: Endpoint): boolean {
    const own = [method, controller].flatMap((at) => (Reflect.getMetadata(GUARDS_METADATA, at) as Guards) ?? []);
    if (own.some((guard) => guard !== BodyReadGuard)) return true;
    const { guards } = this.options.http;
    return guards.length + this.config.getGlobalGuards().length + this.config.getGlobalRequestGuards().length > 0;
  }
}
