import * as fc from 'fast-check';
import type { Job } from 'nestjs-async-endpoints';
import { figure } from '../../redis/system.js';
import { redisServer, STACKS, type StackName } from '../stacks.js';
import { type RunningApp, startApp } from '../start-app.js';
import { CREDENTIAL, hostileRequest } from './hostile-request.js';
import { pollution, Probe, type Probed, ProbeHandler, ProbesController } from './probes.js';
import { exchange, type RawAnswer, type RawRequest } from './raw-request.js';
import { redisContents } from './redis-contents.js';

/** At once, so that they meet. */
const VOLLEY = 25;
const VOLLEYS = Number(process.env.FUZZ_VOLLEYS ?? 101);
/** The same requests each time; `FUZZ_SEED=random` for others, or the seed of a failure. */
const SEED = process.env.FUZZ_SEED === 'random' ? Date.now() % 2 ** 31 : Number(process.env.FUZZ_SEED ?? 20_261_123);

const UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
const OURS =
  /^\{[\da-f-]{36}:0\}:(jobs|claims|leases|completed:Probe|purges|listed|finished|counters|names|workers|alive|(line|ready|scheduled|running|wake):Probe|recall:[\da-f-]{36}|key:[\w-]{43})$/;

/** What was sent and what came of it, over the whole run. */
class Tally {
  sent = 0;
  /** Requests that may have been accepted though the answer does not say so. */
  unheard = 0;
  readonly statuses = new Map<string, number>();
  /** The jobs that were accepted, with the JSON that they stand for where it is known. */
  readonly accepted = new Map<string, string | undefined>();

  add({ json, framing }: RawRequest, { status, headers }: RawAnswer): void {
    this.sent++;
    this.statuses.set(String(status), (this.statuses.get(String(status)) ?? 0) + 1);
    if (framing !== 'sound' && (status ?? 400) === 400) this.unheard++;
    const id = headers.get('x-async-request-id');
    if (id !== undefined && !headers.has('idempotency-replayed')) this.accepted.set(id, json);
  }

  get figures(): string {
    const statuses = [...this.statuses]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([status, count]) => `${status}: ${count}`);
    return `${this.sent} requests, ${this.accepted.size} jobs; answers ${statuses.join(', ')}`;
  }
}

describe.each(STACKS)('Hostile requests, on %s', (stack) => {
  it('cause no internal error, leave nothing behind and reveal nothing', { timeout: 120_000 }, async () => {
    const app = await startFuzzed(stack);
    const tally = new Tally();
    const volley = fc.asyncProperty(
      fc.array(hostileRequest, { minLength: VOLLEY, maxLength: VOLLEY }),
      async (requests) => {
        await Promise.all(requests.map((request) => send(app, request, tally)));
        expect(pollution()).toEqual([]);
      },
    );
    // Of a failure the requests that were sent together are shown, not the fewest: that would take minutes.
    await fc.assert(volley, { seed: SEED, numRuns: VOLLEYS, endOnFailure: true });
    figure(`${stack}, seed ${SEED}: ${tally.figures}`);
    expect((await app.post('/probes', { fine: true }, { Prefer: 'wait=1' })).job.result).toMatchObject({
      request: { fine: true },
    });
    expectUnharmed(await idle(app), tally);
    if (stack.endsWith('Redis')) await expectOnlyOurs();
    expect(app.log.text).not.toContain(CREDENTIAL);
    // Nest says so of a body that ends early, on any route of Fastify's.
    expect(app.log.text.replaceAll('ERROR Error: aborted', '')).not.toMatch(/ERROR|FATAL/);
  });
});

function startFuzzed(stack: StackName): Promise<RunningApp> {
  return startApp(stack, {
    controllers: [ProbesController],
    providers: [ProbeHandler],
    options: {
      http: {
        maxWaitMs: 1_000,
        captureHeaders: ['X-Captured', 'User-Agent'],
        owner: ({ headers }) => (headers['x-user'] as string | undefined) ?? null,
      },
    },
  });
}

async function send(app: RunningApp, request: RawRequest, tally: Tally): Promise<void> {
  const answer = await exchange(app.port, request);
  const { status, headers, text } = answer;
  if (request.framing !== 'cut off' && !request.head.startsWith('CONNECT')) expect(status).not.toBeNull();
  expect(status ?? 0).toBeLessThan(500);
  expect(headers.has('x-evil')).toBe(false);
  expect(headers.get('location') ?? '/jobs/').toMatch(/^\/jobs\//);
  expect(text).not.toContain(CREDENTIAL);
  tally.add(request, answer);
}

/** All jobs, once none is left to do. */
async function idle(app: RunningApp): Promise<Job<Probed>[]> {
  const jobs: Job[] = [];
  for (let cursor: string | null | undefined; cursor !== null;) {
    const page: Awaited<ReturnType<typeof app.jobs.list>> = await app.jobs.list({}, { limit: 1_000, cursor });
    jobs.push(...(await Promise.all(page.jobs.map(({ id }) => app.jobs.waitFor(id)))));
    ({ cursor } = page);
  }
  return jobs as Job<Probed>[];
}

/** Exactly the jobs that were accepted are there, each as it was asked for. */
function expectUnharmed(jobs: Job<Probed>[], { accepted, unheard }: Tally): void {
  for (const { id, name, status, result, error } of jobs) {
    expect(id).toMatch(UUID);
    expect([name, error]).toEqual([Probe.name, null]);
    if (status === 'Canceled') continue;
    expect(result).toMatchObject({ polluted: [], sawCredentials: false });
    const asked = accepted.get(id);
    if (asked !== undefined) expect(JSON.stringify(result?.request)).toBe(JSON.stringify(JSON.parse(asked)));
  }
  const unasked = jobs.filter(({ id, result }) => !accepted.has(id) && !isOwnProbe(result));
  for (const { result } of unasked) expect(result?.request).toBeUndefined();
  expect(unasked.length).toBeLessThanOrEqual(unheard);
  expect(jobs).toHaveLength(accepted.size + unasked.length + 1);
}

function isOwnProbe(result: Probed | null): boolean {
  return (result?.request as { fine?: boolean } | null)?.fine === true;
}

async function expectOnlyOurs(): Promise<void> {
  const contents = await redisContents((await redisServer()).url);
  expect(contents.map(({ key }) => key).filter((key) => !OURS.test(key))).toEqual([]);
  expect(contents.filter(({ key, expires }) => key.includes(':key:') && !expires)).toEqual([]);
  expect(JSON.stringify(contents)).not.toContain(CREDENTIAL);
  expect(contents.find(({ key }) => key.endsWith(':names'))?.values).toBe(JSON.stringify([Probe.name]));
}
