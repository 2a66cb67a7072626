import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, type OpenAPIObject, type SwaggerDocumentOptions, SwaggerModule } from '@nestjs/swagger';
import { lintFromString, loadConfig } from '@redocly/openapi-core';

type Paths = OpenAPIObject['paths'];
type Operation = NonNullable<Paths[string]['get']>;
type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

const config = loadConfig({ configPath: new URL('../../redocly.yaml', import.meta.url).pathname });

/** As any application makes it, before it listens or after. */
export function documentOf(app: INestApplication, version = '3.0.0', options: SwaggerDocumentOptions = {}) {
  const about = new DocumentBuilder()
    .setTitle('An application')
    .setOpenAPIVersion(version)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer('/')
    .addTag('Jobs', 'Every job.')
    .addTag('Texts', 'Texts.')
    .addSecurityRequirements({})
    .build();
  return new Document(SwaggerModule.createDocument(app, about, options));
}

/** What clients are served: the JSON of a document. */
export class Document {
  readonly json: string;
  readonly content: OpenAPIObject;

  constructor(document: unknown) {
    this.json = JSON.stringify(document);
    this.content = JSON.parse(this.json) as OpenAPIObject;
  }

  get routes(): string[] {
    return this.#operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`);
  }

  get operationIds(): string[] {
    return this.#operations.map(({ operation }) => String(operation.operationId));
  }

  get schemas(): Record<string, unknown> {
    return this.content.components?.schemas ?? {};
  }

  operation(method: Method, path: string): Operation {
    const found = this.content.paths[path]?.[method];
    if (!found) throw new Error(`There is no ${method} ${path} in ${this.routes.join(', ')}.`);
    return found;
  }

  /** Status codes, each with the media types of its bodies. */
  answers(method: Method, path: string): Record<string, string[]> {
    const answers = Object.entries(this.operation(method, path).responses);
    return Object.fromEntries(
      answers.map(([status, response]) => [status, Object.keys((response as { content?: object }).content ?? {})]),
    );
  }

  /** What the strict rules of `redocly.yaml` object to. */
  async objections(): Promise<string[]> {
    const problems = await lintFromString({ source: this.json, config: await config });
    return problems.map(({ ruleId, message, location }) => `${ruleId}: ${message} (${location[0]?.pointer})`);
  }

  get #operations(): { method: string; path: string; operation: Operation }[] {
    return Object.entries(this.content.paths).flatMap(([path, operations]) =>
      Object.entries(operations as Record<string, Operation>).map(([method, operation]) => ({
        method,
        path,
        operation,
      })),
    );
  }
}
