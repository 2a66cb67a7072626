import { randomUUID } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import openapiTS, { astToString } from 'openapi-typescript';
import ts from 'typescript';
import { type RunningDemo, startDemo } from '../demo/running-demo.js';
import { conforming } from './conformity.js';
import { Document } from './documents.js';
import type { Drive } from './drive.js';

const FOLDER = new URL('generated-client/', import.meta.url);

describe('The OpenAPI document of the demo', () => {
  let demo: RunningDemo;
  let document: Document;

  beforeAll(async () => {
    demo = await startDemo();
    document = new Document((await demo.client.get('/docs-json')).body);
  });

  afterAll(() => demo.app.close());

  it('passes a strict linter, which reports a wrong document', async () => {
    expect(await document.objections()).toEqual([]);
    const wrong = structuredClone(document.content);
    delete wrong.paths['/jobs/{id}']?.get?.parameters;
    expect(await new Document(wrong).objections()).toEqual([expect.stringMatching(/^path-parameters-defined: /)]);
  });

  it('contains every route for clients', () => {
    expect(document.routes.toSorted()).toEqual([
      'DELETE /jobs/{id}',
      'GET /jobs/{id}',
      'GET /jobs/{id}/events',
      'GET /jobs/{id}/result',
      'POST /api/csv-summaries',
      'POST /api/demo/sleep',
      'POST /api/demo/unreliable',
      'POST /api/process-data',
    ]);
  });

  it('is also served as a page', async () => {
    const page = await demo.client.get('/docs');
    expect(page.status).toBe(200);
    const scripts = [...String(page.body).matchAll(/src="([^"]+)"/g)].map(([, source]) => source as string);
    expect(scripts).toContain('./docs/swagger-ui-bundle.js');
    for (const script of scripts) expect((await demo.client.get(`/${script.replace('./', '')}`)).status).toBe(200);
  });

  describe('generates a client', () => {
    let api: ReturnType<Drive>;

    beforeAll(async () => {
      const types = astToString(await openapiTS(document.json));
      await writeFile(new URL('demo-api.ts', FOLDER), types);
      // By its name as text: to the compiler, there is no such file before its types are made.
      const { drive } = (await import(new URL('drive.ts', FOLDER).pathname)) as { drive: Drive };
      api = drive(demo.client.url, conforming(document.content));
    });

    it('with correct types', () => {
      expect(typeErrors(new URL('tsconfig.json', FOLDER).pathname)).toEqual([]);
    });

    it('that submits, follows and fetches the result', async () => {
      expect(await api.processText('text')).toBe('Processed: TEXT');
      expect(await api.summarize('name,age\nAda,36\nAlan,41\n')).toBe(38.5);
    });

    it('that repeats requests safely, and cancels', async () => {
      const id = randomUUID();
      expect(await api.sleepAndCancel(id)).toEqual([
        `first: ${id} null`,
        `again: ${id} true`,
        'Canceled',
        'JOB_CANCELED',
      ]);
    });

    it('that handles refusals', async () => {
      expect(await api.ask('no-uuid')).toBe('INVALID_JOB_ID');
      expect(await api.ask(randomUUID())).toBe('JOB_NOT_FOUND');
      expect(await api.misspell()).toBe(
        '400: property text should not exist, data should not be empty, data must be a string',
      );
    });
  });
});

function typeErrors(path: string): string[] {
  const folder = path.slice(0, path.lastIndexOf('/'));
  const { options, fileNames } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(path, ts.sys.readFile).config,
    ts.sys,
    folder,
  );
  const program = ts.createProgram(fileNames, options);
  return ts.getPreEmitDiagnostics(program).map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}
