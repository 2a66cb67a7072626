import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { Body, Controller, Post, Req, UploadedFile, UseInterceptors } from '@nestjs/common';
import { FileInterceptor } from '@nestjs/platform-express';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { AsyncEndpoint } from 'nestjs-async-endpoints';
import { refused } from './answer.js';
import { Report, ReportHandler, type ReportRequest } from './reports.js';
import { ADAPTERS, type AppParts, startApp } from './start-app.js';

const KEY = { 'Idempotency-Key': 'order-7' };
const STREAM = { ...KEY, 'Content-Type': 'application/octet-stream' };

@Controller()
class UploadsController {
  @Post('uploads')
  @UseInterceptors(FileInterceptor('file'))
  @AsyncEndpoint(Report)
  upload(@UploadedFile() file: { buffer: Buffer }, @Body() { pages }: { pages: string }): ReportRequest {
    return { title: file.buffer.toString(), pages: Number(pages) };
  }
}

@Controller()
class StreamsController {
  @Post('streams')
  @AsyncEndpoint(Report)
  async stream(@Req() request: Readable & { body?: Readable }): Promise<ReportRequest> {
    return { title: await text(request.body ?? request) };
  }
}

/** On Fastify as its documentation says: what no parser takes is handed on as the stream that it is. */
const STREAMING: AppParts = {
  controllers: [StreamsController],
  providers: [ReportHandler],
  configure: (app) => {
    const server = (app as NestFastifyApplication).getHttpAdapter().getInstance() as Partial<
      ReturnType<ReturnType<NestFastifyApplication['getHttpAdapter']>['getInstance']>
    >;
    server.addContentTypeParser?.('application/octet-stream', (_request, payload, done) => done(null, payload));
  },
};

const BOUNDARY = 'a-boundary';

function form(title: string): string {
  const parts = [
    ['name="pages"', '3'],
    ['name="file"; filename="report.txt"', title],
  ].map(([name, value]) => `--${BOUNDARY}\r\nContent-Disposition: form-data; ${name}\r\n\r\n${value}\r\n`);
  return `${parts.join('')}--${BOUNDARY}--\r\n`;
}

describe('An upload, on Express', () => {
  it.each(['multipart/form-data', 'Multipart/Form-Data'])(
    'of type %s is queued, and a repeat is recognised by its file',
    async (type) => {
      const app = await startApp('Express', { controllers: [UploadsController], providers: [ReportHandler] });
      const headers = { ...KEY, 'Content-Type': `${type}; boundary=${BOUNDARY}` };
      const first = await app.post('/uploads', form('Bees'), headers);
      expect(first.status).toBe(202);
      expect((await app.ended(first.job)).job.result).toEqual({ text: 'About Bees' });

      const repeat = await app.post('/uploads', form('Bees'), headers);
      expect([repeat.job.id, repeat.header('Idempotency-Replayed')]).toEqual([first.job.id, 'true']);
      const other = await app.post('/uploads', form('Wasps'), headers);
      expect(other.refusal).toEqual(refused(422, 'IDEMPOTENCY_KEY_REUSED'));
    },
  );
});

describe.each(ADAPTERS)('A body that the method itself reads, on %s', (adapter) => {
  it('is queued, and a repeat is recognised by the return value of the method', async () => {
    const app = await startApp(adapter, STREAMING);
    const first = await app.post('/streams', 'Bees', STREAM);
    expect(first.status).toBe(202);
    expect((await app.ended(first.job)).job.result).toEqual({ text: 'About Bees' });

    const repeat = await app.post('/streams', 'Bees', STREAM);
    expect([repeat.job.id, repeat.header('Idempotency-Replayed')]).toEqual([first.job.id, 'true']);
    expect((await app.post('/streams', 'Wasps', STREAM)).refusal).toEqual(refused(422, 'IDEMPOTENCY_KEY_REUSED'));
  });
});
