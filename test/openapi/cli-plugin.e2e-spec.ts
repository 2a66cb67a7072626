import { writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import * as common from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import * as swagger from '@nestjs/swagger';
import { before as plugin } from '@nestjs/swagger/plugin';
import * as library from 'nestjs-async-endpoints';
import ts from 'typescript';
import { temporaryFolder } from '../temporary-folder.js';
import { documentOf } from './documents.js';

const SOURCE = `
import { Body, Controller, Delete, HttpCode, Post, Put } from '@nestjs/common';
import { AsyncEndpoint, defineJob } from 'nestjs-async-endpoints';

class CountRequest { text!: string; }
const Count = defineJob<CountRequest>('Count');

@Controller('plugged')
export class PluggedController {
  /** Counts the words. */
  @Post('count') @AsyncEndpoint(Count)
  count(@Body() request: CountRequest) { return request; }

  @AsyncEndpoint(Count) @Post('typed')
  typed(@Body() request: CountRequest): CountRequest { return request; }

  @Put('put') @AsyncEndpoint(Count)
  async put(@Body() request: CountRequest): Promise<CountRequest> { return request; }

  @Delete('remove') @AsyncEndpoint(Count)
  remove() { return new CountRequest(); }

  @Post('coded') @HttpCode(202) @AsyncEndpoint(Count)
  coded(@Body() request: CountRequest) { return request; }

  @Post('synchronous')
  synchronous(@Body() request: CountRequest): CountRequest { return request; }
}
`;

/** What `nest build` makes of it with the plugin on. */
async function compile(): Promise<string> {
  const file = join(temporaryFolder(), 'plugged.controller.ts');
  await writeFile(file, SOURCE);
  const program = ts.createProgram([file], {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.CommonJS,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    types: [],
    noLib: true,
  });
  let code = '';
  const write = (name: string, text: string) => (code = name.endsWith('plugged.controller.js') ? text : code);
  program.emit(undefined, write, undefined, false, { before: [plugin({ introspectComments: true }, program)] });
  return code;
}

function load(code: string): { PluggedController: common.Type } {
  const known: Record<string, unknown> = {
    '@nestjs/common': common,
    '@nestjs/swagger': swagger,
    'nestjs-async-endpoints': library,
  };
  const fallback = createRequire(import.meta.url);
  const module = { exports: {} as { PluggedController: common.Type } };
  // The compiler's own output, as Node would run it.
  // oxlint-disable-next-line typescript/no-implied-eval
  new Function('require', 'module', 'exports', code)(
    (name: string) => known[name] ?? fallback(name),
    module,
    module.exports,
  );
  return module.exports;
}

it('The CLI plugin of swagger adds no response to an async endpoint from its return type', async () => {
  const code = await compile();
  expect(code.match(/openapi\.ApiResponse\(/g)?.length).toBeGreaterThanOrEqual(5);
  const { PluggedController } = load(code);
  @common.Module({ imports: [library.AsyncEndpointsModule.forRoot({ role: 'api' })], controllers: [PluggedController] })
  class AppModule {}
  const app = await NestFactory.create(AppModule, { logger: ['error'] });
  onTestFinished(() => app.close());
  const document = documentOf(app);

  const schema = ['content', 'application/json', 'schema', '$ref'];
  for (const [method, path] of [
    ['post', 'count'],
    ['post', 'typed'],
    ['put', 'put'],
    ['delete', 'remove'],
    ['post', 'coded'],
  ] as const) {
    const { responses } = document.operation(method, `/plugged/${path}`);
    expect(Object.keys(responses)).not.toContain('201');
    for (const status of ['200', '202'])
      expect(responses).toHaveProperty([status, ...schema], '#/components/schemas/AsyncJob');
  }
  expect(document.operation('post', '/plugged/count')).toMatchObject({ summary: 'Counts the words.' });
  expect(Object.keys(document.operation('post', '/plugged/synchronous').responses)).toEqual(['201']);
});
