import type { Type } from '@nestjs/common';

/**
 * `DECORATORS` of @nestjs/swagger, the same in 11 and 12. What its decorators would write is written here, so that
 * swagger need not be there: then nobody reads it (docs/decisions/0030).
 */
const OPERATION = 'swagger/apiOperation';
const PARAMETERS = 'swagger/apiParameters';
const RESPONSES = 'swagger/apiResponse';
const EXTRA_MODELS = 'swagger/apiExtraModels';
const SCHEMA = 'swagger/apiSchema';
const EXCLUDED_CONTROLLER = 'swagger/apiExcludeController';

/** A schema object of OpenAPI 3.0; for a document of 3.1 swagger translates it. */
export type Schema = Readonly<Record<string, unknown>>;

export interface Header {
  readonly description: string;
  readonly schema: Schema;
}

export interface Parameter extends Header {
  readonly name: string;
  readonly in: 'header' | 'path';
  readonly required: boolean;
}

export interface Link {
  readonly operationId: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly description: string;
}

interface MediaType {
  readonly schema: Schema;
  readonly examples?: Readonly<Record<string, { readonly value: unknown }>>;
}

export interface Response {
  readonly description: string;
  readonly headers?: Readonly<Record<string, Header>>;
  readonly content?: Readonly<Record<string, MediaType>>;
  readonly links?: Readonly<Record<string, Link>>;
}

export type Responses = Readonly<Record<string, Response>>;

export interface Operation {
  readonly operationId?: string;
  readonly summary: string;
  readonly description?: string;
}

export interface Description {
  readonly operation?: Operation;
  readonly parameters: readonly Parameter[];
  readonly responses: Responses;
  /** The named schemas that it refers to. */
  readonly models: readonly Type[];
}

/** Describes a route. Decorators of the application take precedence, in any order. */
export function describe(method: object, { operation, parameters, responses, models }: Description): void {
  const said = read<Partial<Responses>>(method, RESPONSES, {});
  const merged = { ...responses, ...said };
  for (const [status, response] of Object.entries(responses)) merged[status] = mergedResponse(response, said[status]);
  Reflect.defineMetadata(RESPONSES, merged, method);
  Reflect.defineMetadata(PARAMETERS, [...read(method, PARAMETERS, []), ...parameters], method);
  Reflect.defineMetadata(EXTRA_MODELS, [...read(method, EXTRA_MODELS, []), ...models], method);
  if (operation) Reflect.defineMetadata(OPERATION, { ...operation, ...read(method, OPERATION, {}) }, method);
}

/**
 * Forgets what swagger's CLI plugin has concluded from what a method returns, which is the request of the job: that it were
 * the body of a 201, or of the 200 of another method than `POST`. The plugin's decorator is always the innermost.
 */
export function forgetReturnType(method: object): void {
  const said = read<Record<string, object>>(method, RESPONSES, {});
  const others = Object.entries(said).filter(([status]) => status !== '201');
  const untyped = others.map(([status, response]) => {
    if (status !== '200' && status !== '202') return [status, response];
    const { type: _type, isArray: _isArray, ...rest } = response as Record<string, unknown>;
    return [status, rest];
  });
  Reflect.defineMetadata(RESPONSES, Object.fromEntries(untyped), method);
}

export function responsesOf(method: object): Responses {
  return read<Responses>(method, RESPONSES, {});
}

export function setResponse(method: object, status: string, response: Response): void {
  Reflect.defineMetadata(RESPONSES, { ...responsesOf(method), [status]: response }, method);
}

/**
 * A named schema of the document: for swagger, a class that says what it looks like. It says so afresh each time, because
 * swagger translates schemas in place for a document of OpenAPI 3.1.
 *
 * @param uses the models that the schema refers to
 */
export function model(name: string, schema: Schema, uses: readonly Type[] = []): Type {
  const described = function Model() {} as unknown as Type;
  const metadata = { name, type: undefined, properties: undefined }; // or swagger would add its own two
  for (const key of Object.keys(schema)) {
    Object.defineProperty(metadata, key, { enumerable: true, get: () => structuredClone(schema[key]) });
  }
  Reflect.defineMetadata(SCHEMA, [metadata], described);
  Reflect.defineMetadata(EXTRA_MODELS, uses, described);
  return described;
}

/** Of one of ours, or of a class with `@ApiProperty` and, maybe, a name by `@ApiSchema`. */
export function refTo(type: Type): Schema {
  const schemas = (Reflect.getOwnMetadata(SCHEMA, type) ?? []) as { name?: string }[];
  return { $ref: `#/components/schemas/${schemas.at(-1)?.name ?? type.name}` };
}

export function isExcluded(controller: Type): boolean {
  return read<[boolean]>(controller, EXCLUDED_CONTROLLER, [false])[0];
}

/** A description that is empty was not given: swagger fills it in. */
function mergedResponse(ours: Response, theirs: Partial<Response> = {}): Response {
  const headers = { ...ours.headers, ...theirs.headers };
  return { ...ours, ...theirs, headers, description: theirs.description || ours.description };
}

function read<T>(target: object, key: string, none: T): T {
  return (Reflect.getMetadata(key, target) as T | undefined) ?? none;
}
