import { InvalidOptionError } from './errors.js';
import type { Route, Settings, SubmissionMethod } from './options.js';

/** A path or more. */
const LOCATION = /\//;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** Where an endpoint is. */
export interface Endpoint {
  readonly url: URL;
  readonly method: SubmissionMethod;
}

/** Finds what is where, and nothing outside the origin of the application: headers may be credentials. */
export class Locations {
  constructor(private readonly settings: Settings) {}

  /**
   * The endpoint of a job: as the call says, else as the client's `routes` do.
   *
   * @throws InvalidOptionError where neither does
   */
  endpoint(job: string, { path, method }: { path?: string; method?: SubmissionMethod }): Endpoint {
    const { routes } = this.settings;
    const route: Route | undefined = Object.hasOwn(routes, job) ? routes[job] : undefined;
    const known = typeof route === 'string' ? { path: route } : route;
    const where = path ?? known?.path;
    if (where === undefined)
      throw new InvalidOptionError(`Where is ${job} submitted? Give \`path\`, or the client \`routes\``);
    return { url: this.#below(where), method: method ?? known?.method ?? 'POST' };
  }

  /**
   * The status monitor of a job that the caller names.
   *
   * @throws InvalidOptionError for what is neither id nor location: a mistaken id would be a path, and answered as one
   */
  named(idOrLocation: string): URL {
    if (UUID.test(idOrLocation) || LOCATION.test(idOrLocation)) return this.monitor(idOrLocation);
    const given = JSON.stringify(idOrLocation);
    throw new InvalidOptionError(`The job is named ${given}; expected a job's id, which is a UUID, or its location`);
  }

  /**
   * The status monitor of a job.
   *
   * @param idOrLocation a bare UUID, which stands below `statusPath`, or what a `Location` header said
   */
  monitor(idOrLocation: string): URL {
    if (UUID.test(idOrLocation)) return this.#below(`${this.settings.statusPath}/${idOrLocation.toLowerCase()}`);
    return this.linked(idOrLocation, this.settings.baseUrl);
  }

  /**
   * What a link of the server leads to.
   *
   * @throws InvalidOptionError for one to another origin, or none at all
   */
  linked(link: string, from: URL): URL {
    const url = URL.canParse(link, from.href) ? new URL(link, from.href) : null;
    if (url && url.origin === this.settings.baseUrl.origin) return url;
    throw new InvalidOptionError(`${JSON.stringify(link)} does not lead to ${this.settings.baseUrl.origin}`);
  }

  #below(path: string): URL {
    const { origin, pathname } = this.settings.baseUrl;
    const base = pathname.split('/').filter(Boolean).join('/');
    return this.linked(`${origin}/${base && `${base}/`}${path.replace(/^\/+/, '')}`, this.settings.baseUrl);
  }
}

/** The id that a location ends in. */
export function idOf(monitor: URL): string {
  return monitor.pathname.split('/').findLast(Boolean) ?? '';
}
