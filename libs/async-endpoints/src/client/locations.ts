import { InvalidOptionError } from './errors.js';
import type { Route, Settings, SubmissionMethod } from './options.js';

/** A path or a URL. */
const LOCATION = /\//;
const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/i;

/** The address of an endpoint. */
export interface Endpoint {
  readonly url: URL;
  readonly method: SubmissionMethod;
}

/** Resolves addresses. It refuses those outside the origin of the application, because headers may be credentials. */
export class Locations {
  constructor(private readonly settings: Settings) {}

  /**
   * The endpoint of a job, from the options of the call or from `routes` of the client.
   *
   * @throws InvalidOptionError when both are missing
   */
  endpoint(job: string, { path, method }: { path?: string; method?: SubmissionMethod }): Endpoint {
    const { routes } = this.settings;
    const route: Route | undefined = Object.hasOwn(routes, job) ? routes[job] : undefined;
    const known = typeof route === 'string' ? { path: route } : route;
    const where = path ?? known?.path;
    if (where === undefined)
      throw new InvalidOptionError(`The path of ${job} is unknown: pass \`path\`, or give the client \`routes\``);
    return { url: this.#below(where), method: method ?? known?.method ?? 'POST' };
  }

  /**
   * The status URL of a job that the caller names.
   *
   * @throws InvalidOptionError when it is neither id nor location, because a mistyped id would be taken for a path
   */
  named(idOrLocation: string): URL {
    if (UUID.test(idOrLocation) || LOCATION.test(idOrLocation)) return this.monitor(idOrLocation);
    const given = JSON.stringify(idOrLocation);
    throw new InvalidOptionError(`The job is ${given}; expected the id of a job, which is a UUID, or its location`);
  }

  /**
   * The status URL of a job.
   *
   * @param idOrLocation a UUID, for a job below `statusPath`, or the value of a `Location` header
   */
  monitor(idOrLocation: string): URL {
    if (UUID.test(idOrLocation)) return this.#below(`${this.settings.statusPath}/${idOrLocation.toLowerCase()}`);
    return this.linked(idOrLocation, this.settings.baseUrl);
  }

  /**
   * The target of a link from the server.
   *
   * @throws InvalidOptionError when it leads to another origin or is invalid
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

/** The id at the end of a location. */
export function idOf(monitor: URL): string {
  return monitor.pathname.split('/').findLast(Boolean) ?? '';
}
