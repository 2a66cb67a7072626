import type { OpenAPIObject } from '@nestjs/swagger';
import { Ajv2020 } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

interface Response {
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly content?: Readonly<Record<string, { readonly schema: object }>>;
}

/** Headers that are HTTP's or the server's own, of which a document need not speak. */
const UNSPOKEN = /^(connection|content-length|content-type|date|keep-alive|transfer-encoding)$/;

/** A `fetch` that holds each answer against the document (of OpenAPI 3.1): status, headers, media type and body. */
export function conforming(document: OpenAPIObject): (request: Request) => Promise<globalThis.Response> {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats.default(ajv);
  return async (request) => {
    const answer = await fetch(request);
    const where = `${request.method} ${new URL(request.url).pathname} ${answer.status}`;
    const documented = responsesOf(document, request)[answer.status];
    if (!documented) throw new Error(`${where} is not in the document.`);
    const spoken = Object.keys(documented.headers ?? {}).map((name) => name.toLowerCase());
    const unheard = [...answer.headers.keys()].filter((name) => !UNSPOKEN.test(name) && !spoken.includes(name));
    if (unheard.length > 0)
      throw new Error(`${where} has headers that are not in the document: ${unheard.join(', ')}.`);
    const type = answer.headers.get('content-type')?.split(';')[0] ?? '';
    const schema = documented.content?.[type]?.schema;
    if (!schema) throw new Error(`${where} is ${type}, which is not in the document.`);
    const isValid = ajv.compile({ ...schema, components: document.components });
    if (!isValid(await answer.clone().json())) throw new Error(`${where}: ${ajv.errorsText(isValid.errors)}`);
    return answer;
  };
}

function responsesOf(document: OpenAPIObject, { method, url }: Request): Readonly<Record<string, Response>> {
  const { pathname } = new URL(url);
  const path = Object.keys(document.paths).find((template) =>
    new RegExp(`^${template.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(pathname),
  );
  const operations = (document.paths[path ?? ''] ?? {}) as Record<string, { responses: Record<string, Response> }>;
  return operations[method.toLowerCase()]?.responses ?? {};
}
