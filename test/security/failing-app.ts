import { inspect } from 'node:util';
import { Body, Controller, Post } from '@nestjs/common';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { IsString, MaxLength } from 'class-validator';
import { AsyncEndpoint, AsyncHandler, defineJob, type HttpRequest, type JobContext } from 'nestjs-async-endpoints';
import { RedisJobStore } from 'nestjs-async-endpoints/redis';
import { AsyncEndpointsTelemetryModule } from 'nestjs-async-endpoints/telemetry';
import { Gate } from '../http/gate.js';
import { type RunningApp, startApp } from '../http/start-app.js';
import { SpanBook } from '../observability/span-book.js';

export const SECRETS = {
  password: 'password-kx81',
  payload: 'payload-kx82',
  result: 'result-kx83',
  header: 'header-kx84',
  url: 'url-kx85',
};
export const PLANTED = /.{0,200}kx8\d/s;

/** All that a person can find in an error. */
export function everything(error: unknown): string {
  return inspect(error, { depth: 20, showHidden: true, getters: true }) + String((error as Error | undefined)?.stack);
}

class Planted {
  @IsString()
  kind!: string;

  @MaxLength(100)
  text!: string;
}

export const Secret = defineJob<Planted, unknown>('Secret', { payload: Planted, maxRetries: 0 });
export const Late = defineJob<Planted, unknown>('Late', { maxRetries: 0, timeoutMs: 20 });

@Controller()
class PlantedController {
  @Post('secrets')
  @AsyncEndpoint(Secret)
  secret(@Body() body: Planted) {
    return body;
  }

  @Post('late')
  @AsyncEndpoint(Late)
  late(@Body() body: Planted) {
    return body;
  }
}

/** Fails in every way that a handler can, by the kind of its payload, without saying anything itself. */
function handlers(hold: { claimed: Gate; released: Gate }, breakStore: () => Promise<unknown>) {
  @AsyncHandler(Secret)
  class SecretHandler {
    async handle({ kind }: Planted): Promise<unknown> {
      const circle: Record<string, unknown> = { secret: SECRETS.result };
      switch (kind) {
        case 'throw':
          throw new Error('It failed.');
        case 'circle':
          return (circle.circle = circle);
        case 'large':
          return SECRETS.result.repeat(1_000);
        case 'hold':
          hold.claimed.open();
          return hold.released.opened;
        case 'break':
          await breakStore();
          return SECRETS.result;
        default:
          return 'done';
      }
    }
  }

  @AsyncHandler(Late)
  class LateHandler {
    handle(_request: Planted, { signal }: JobContext): Promise<never> {
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    }
  }
  return [SecretHandler, LateHandler];
}

export interface FailingApp {
  readonly app: RunningApp;
  /** What was logged. */
  readonly lines: readonly string[];
  /** Of the handler of kind `hold`, which has the only slot until it is released. */
  readonly hold: { readonly claimed: Gate; readonly released: Gate };
  /** Everything that is measured, and that traces say, as text. */
  seen(): Promise<{ metrics: string; spans: string }>;
}

/** @param breakStore by the handler of kind `break`, before it has a result */
export async function startFailingApp(url: string, breakStore: () => Promise<unknown>): Promise<FailingApp> {
  const reader = new PrometheusExporter({ preventServerStart: true });
  const meterProvider = new MeterProvider({ readers: [reader] });
  const book = new SpanBook();
  const hold = { claimed: new Gate(), released: new Gate() };
  const owner = ({ headers }: HttpRequest) => {
    if (headers['x-fault']) throw new Error('Nobody knows.');
    return null;
  };
  const app = await startApp('Fastify', {
    controllers: [PlantedController],
    providers: handlers(hold, breakStore),
    imports: [AsyncEndpointsTelemetryModule.forRoot({ meterProvider, tracerProvider: book.provider })],
    options: {
      store: new RedisJobStore({ url }),
      jobs: { maxPayloadBytes: 50_000, maxResultBytes: 1_000 },
      worker: { maxConcurrency: 1 },
      http: { owner, captureHeaders: ['x-note'], captureQueryParams: ['note'] },
    },
  });
  const lines: string[] = [];
  const note = (...parts: unknown[]) => void lines.push(parts.map(everything).join(' '));
  app.nest.useLogger({ log: note, warn: note, error: note, fatal: note });
  const seen = async () => ({
    metrics: inspect(await reader.collect(), { depth: 20 }),
    spans: everything(
      book.spans.map(({ name, attributes, events, links, status }) => ({ name, attributes, events, links, status })),
    ),
  });
  return { app, lines, hold, seen };
}
