import { Inject, Injectable, Logger, type OnApplicationBootstrap, type Type } from '@nestjs/common';
import { ApplicationConfig } from '@nestjs/core';
import { GUARDS_METADATA } from '../../nest/internals.js';
import { OPTIONS, type ResolvedOptions } from '../../options/options.js';
import { STATUS_CONTROLLER } from '../reply/job-links.js';

/** Says at boot, in production, that everybody may read the jobs. */
@Injectable()
export class AccessNotice implements OnApplicationBootstrap {
  readonly #logger = new Logger('AsyncEndpoints');

  constructor(
    @Inject(STATUS_CONTROLLER) private readonly controller: Type | null,
    @Inject(OPTIONS) private readonly options: ResolvedOptions,
    @Inject(ApplicationConfig) private readonly config: ApplicationConfig,
  ) {}

  /** Only now are the application's global guards known. */
  onApplicationBootstrap(): void {
    if (process.env['NODE_ENV'] !== 'production' || !this.controller) return;
    if (this.options.http.owner || this.#hasGuards(this.controller)) return;
    this.#logger.warn(
      `Whoever knows the id of a job can read and cancel it under /${this.options.http.path}: there is neither http.owner nor a ` +
        'guard. Set http.owner, so that a job is visible to its owner only, or http.guards.',
    );
  }

  #hasGuards(controller: Type): boolean {
    const own = (Reflect.getMetadata(GUARDS_METADATA, controller) ?? []) as unknown[];
    return [own, this.config.getGlobalGuards(), this.config.getGlobalRequestGuards()].some(({ length }) => length > 0);
  }
}
