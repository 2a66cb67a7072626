import { Writable } from 'node:stream';
import { ConsoleLogger, Controller, type INestApplication, type ModuleMetadata, Post } from '@nestjs/common';
import { WinstonModule } from 'nest-winston';
import { AsyncEndpoint, defineJob } from 'nestjs-async-endpoints';
import { LoggerModule, Logger as PinoLogger } from 'nestjs-pino';
import { format, transports } from 'winston';
import { handlerOf } from '../http/reports.js';
import { startApp } from '../http/start-app.js';

/** Where a logger writes to, until the test ends. */
class Output extends Writable {
  text = '';

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }

  /** What goes to the terminal, too, and not there: Nest's own loggers know no other place. */
  ofTerminal(): this {
    for (const stream of [process.stdout, process.stderr]) {
      const spy = vi.spyOn(stream, 'write').mockImplementation((chunk) => this.write(chunk));
      onTestFinished(() => spy.mockRestore());
    }
    return this;
  }
}

const Unlucky = defineJob<{ amount: number }, void>('Unlucky', { maxRetries: 1, retryDelayBaseMs: 0 });

@Controller('unlucky')
class UnluckyController {
  @Post()
  @AsyncEndpoint(Unlucky)
  create() {
    return { amount: 17 };
  }
}

interface LoggerUnderTest {
  readonly imports?: ModuleMetadata['imports'];
  readonly configure: (app: INestApplication) => void;
  /** Every entry so far, with its line breaks as such. */
  readonly entries: () => string[];
}

/** nestjs-pino goes on writing, outside of requests, to where its first module in a process wrote. */
const outputOfPino = new Output();

function jsonEntries({ text }: Output): string[] {
  return text.split('\n').flatMap((line) => (line.startsWith('{') ? [line.replaceAll(String.raw`\n`, '\n')] : []));
}

const LOGGERS: Record<string, () => LoggerUnderTest> = {
  ConsoleLogger: () => {
    const output = new Output().ofTerminal();
    const logger = new ConsoleLogger({ colors: false });
    return { configure: (app) => app.useLogger(logger), entries: () => output.text.split(/^(?=\[Nest\])/m) };
  },
  'ConsoleLogger with json': () => {
    const output = new Output().ofTerminal();
    const logger = new ConsoleLogger({ json: true });
    return { configure: (app) => app.useLogger(logger), entries: () => jsonEntries(output) };
  },
  'nestjs-pino': () => {
    outputOfPino.text = '';
    return {
      imports: [LoggerModule.forRoot({ pinoHttp: [{ autoLogging: false }, outputOfPino] })],
      configure: (app) => app.useLogger(app.get(PinoLogger)),
      entries: () => jsonEntries(outputOfPino),
    };
  },
  'nest-winston': () => {
    const output = new Output();
    const stream = new transports.Stream({ stream: output });
    const logger = WinstonModule.createLogger({ format: format.json(), transports: [stream] });
    return { configure: (app) => app.useLogger(logger), entries: () => jsonEntries(output) };
  },
};

/** As ioredis throws them: what was stored is in its properties. */
function booked(): never {
  const cause = Object.assign(new Error('the ledger is locked'), { command: { name: 'set', args: ['geheim-4711'] } });
  throw Object.assign(new Error('not booked', { cause }), { args: ['geheim-4711'] });
}

/** Message, stack of the error, and message and stack of its cause. */
const WHOLE = [
  /not booked: the ledger is locked/,
  /Error: not booked\n +at booked .*loggers\.e2e-spec/,
  /\n\[cause\]: Error: the ledger is locked\n +at booked .*loggers\.e2e-spec/,
];

describe.each(Object.keys(LOGGERS))('%s', (name) => {
  async function start(parts: Parameters<typeof startApp>[1]) {
    const { entries, ...logger } = (LOGGERS[name] as () => LoggerUnderTest)();
    const app = await startApp('Express', { controllers: [UnluckyController], ...logger, ...parts });
    const about = (text: string) => entries().filter((entry) => entry.includes(text));
    return { app, about };
  }

  it('writes the message, stack, cause and correlation id of a 500 in one entry', async () => {
    const { app, about } = await start({ options: { role: 'api', http: { owner: booked } } });
    const { status, problem } = await app.post('/unlucky');
    expect(status).toBe(500);
    const entries = about('the ledger is locked');
    expect(entries).toHaveLength(1);
    expect(entries).toEqual(about(problem.correlationId as string));
    for (const part of WHOLE) expect(entries[0]).toMatch(part);
    expect(about('geheim-4711')).toEqual([]);
  });

  it('writes the job id and the message, stack and cause of its error in one entry for each attempt', async () => {
    const { app, about } = await start({ providers: [handlerOf(Unlucky, booked)] });
    const { job } = await app.post('/unlucky');
    await app.ended(job);
    const entries = about('the ledger is locked');
    expect(entries).toEqual(about(job.id));
    expect(entries).toEqual([
      expect.stringContaining('failed and will be retried'),
      expect.stringContaining('failed for good'),
    ]);
    expect(entries[1]).toMatch(WHOLE[0] as RegExp);
    for (const part of WHOLE.slice(1)) for (const entry of entries) expect(entry).toMatch(part);
    expect(about('geheim-4711')).toEqual([]);
  });
});
