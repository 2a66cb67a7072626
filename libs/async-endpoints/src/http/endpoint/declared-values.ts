import { Logger } from '@nestjs/common';
import { isCredential } from '../../job/credentials.js';
import { ROUTE_ARGS_METADATA } from '../../nest/internals.js';

/** The values of a request, beside its headers, that an endpoint passes to its job's handler. */
export interface DeclaredValues {
  /** Controller and method, for messages. */
  readonly where: string;
  /** Query values by name. */
  readonly queryParams: ReadonlySet<string>;
  /** Route values by name that are passed although they look like credentials. All others are passed. */
  readonly routeParams: ReadonlySet<string>;
  /** Values that the method takes and its handler does not get, because their names look like credentials. */
  readonly withheld: readonly Withheld[];
}

interface Withheld {
  readonly option: 'queryParams' | 'routeParams';
  readonly name: string;
}

/** `RouteParamtypes.QUERY` and `.PARAM`, which Nest does not export. */
const QUERY = '4:';
const PARAM = '5:';

type Parameters = Readonly<Record<string, { readonly data?: unknown }>>;

/**
 * What the method's `@Query('name')` and `@Param('name')` parameters name, unless it looks like a credential, and what the
 * options of `@AsyncEndpoint` name, whatever it looks like.
 */
export function declaredValues(
  target: object,
  key: string | symbol,
  options: { queryParams?: readonly string[] | undefined; routeParams?: readonly string[] | undefined },
): DeclaredValues {
  const { queryParams = [], routeParams = [] } = options;
  const parameters = (Reflect.getMetadata(ROUTE_ARGS_METADATA, target.constructor, key) ?? {}) as Parameters;
  const named = (type: string) =>
    Object.entries(parameters).flatMap(([at, { data }]) =>
      at.startsWith(type) && typeof data === 'string' ? data : [],
    );
  const query = named(QUERY);
  const withheld = (option: Withheld['option'], names: readonly string[], allowed: readonly string[]) =>
    names.filter((name) => isCredential(name) && !allowed.includes(name)).map((name) => ({ option, name }));
  return {
    where: `${target.constructor.name}.${String(key)}`,
    queryParams: new Set([...queryParams, ...query.filter((name) => !isCredential(name))]),
    routeParams: new Set(routeParams),
    withheld: [...withheld('queryParams', query, queryParams), ...withheld('routeParams', named(PARAM), routeParams)],
  };
}

/** The warning that a value does not reach the handler, and how to pass it. */
export function withheldMessage(where: string, { option, name }: Withheld): string {
  const kind = option === 'queryParams' ? 'query' : 'route';
  const why = isCredential(name)
    ? 'because its name looks like that of a credential. If it is none, or must be stored'
    : 'because no parameter declares it. To pass it, add @Query() with its name to the method, or';
  return `${where} does not pass the ${kind} value "${name}" to its job's handler, ${why}, name it in ${option} of @AsyncEndpoint.`;
}

/** Clients choose the names. The log gets at most this many for each endpoint, and only ordinary ones. */
const MOST_NAMES = 10;
const ORDINARY_NAME = /^[\w.[\]-]{1,64}$/;

/** Warns once of each value that requests have and that the handler does not get. */
export class WithheldValues {
  readonly #logger = new Logger('AsyncEndpoints');
  readonly #warned = new Map<string, Set<string>>();

  warn({ where }: DeclaredValues, { option, name }: Withheld): void {
    const warned = this.#warned.get(where) ?? new Set();
    if (warned.size >= MOST_NAMES || warned.has(name) || !ORDINARY_NAME.test(name)) return;
    this.#warned.set(where, warned.add(name));
    this.#logger.warn(withheldMessage(where, { option, name }));
  }
}
