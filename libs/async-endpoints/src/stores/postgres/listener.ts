import { randomUUID } from 'node:crypto';
import { Client } from 'pg';
import { inTime } from '../../store/in-time.js';
import { unavailable } from '../../store/unavailable.js';
import type { PostgresConnections } from './connections.js';
import type { PostgresSettings } from './options.js';

const CONNECT_AGAIN_MS = 200;
/** The interval of the heartbeat on a silent connection, as a multiple of the deadline of a call. */
const HEARTBEAT_TIMEOUTS = 2;

/** The callbacks of the listener. */
export interface Hearing {
  /** A notification arrived on the channel of this process, or on one of the channels of all processes. */
  onMessage(channel: 'own' | 'revoked' | 'work', text: string): void;
  /** The connection was lost or is back. Notifications may have been missed. */
  onTurn(): void;
}

/**
 * One listening connection, opened at the first subscription or wait. A lost connection is opened again. When notifications do
 * not arrive, for example behind a pooler, `isHearing` is false and its users poll.
 */
export class PostgresListener {
  readonly channel = `async_endpoints_${randomUUID()}`;
  /** The id of the server process of this connection. Rows with this id are deleted when the process has ended. */
  pid = 0;
  isHearing = false;
  #client: Client | undefined;
  #opening: Promise<void> | undefined;
  #again: NodeJS.Timeout | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #heard: () => void = () => {};
  #wasDeaf = false;

  constructor(
    private readonly settings: PostgresSettings,
    private readonly connections: PostgresConnections,
    private readonly hearing: Hearing,
    private readonly notify: (message: string) => void,
  ) {}

  /** Whether this process has asked for notifications. */
  get isOpened(): boolean {
    return this.#opening !== undefined;
  }

  /** Resolves when the connection is open. @throws AsyncEndpointsError `STORE_UNAVAILABLE` */
  async open(): Promise<void> {
    this.#opening ??= this.#connect();
    await this.#opening;
  }

  close(): void {
    clearTimeout(this.#again);
    clearInterval(this.#heartbeat);
    const client = this.#client;
    this.#client = this.#opening = this.#heartbeat = undefined;
    this.isHearing = false;
    client?.end().catch(() => {});
  }

  async #connect(): Promise<void> {
    const { commandTimeoutMs, listening, schema } = this.settings;
    const client = new Client({ application_name: 'async-endpoints listens', keepAlive: true, ...listening });
    this.#client = client;
    client.on('error', () => this.#lost(client));
    client.on('end', () => this.#lost(client));
    client.on('notification', ({ channel, payload = '' }) => this.#receive(channel, payload));
    const channels = [this.channel, `${schema}.revoked`, `${schema}.work`];
    try {
      await inTime(client.connect(), commandTimeoutMs);
      const listen = channels.map((channel) => `LISTEN "${channel}"`).join('; ');
      await inTime(client.query(listen), commandTimeoutMs);
      const { rows } = await inTime(client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid'), commandTimeoutMs);
      this.pid = rows[0]?.pid ?? 0;
      await this.#test();
    } catch (error) {
      client.end().catch(() => {});
      if (client === this.#client) this.#lost(client);
      throw unavailable(error);
    }
    this.#heartbeat ??= setInterval(() => this.#beat(), HEARTBEAT_TIMEOUTS * commandTimeoutMs);
  }

  /** Tests whether a notification arrives: a pooler may accept `LISTEN` and ignore it. */
  async #test(): Promise<void> {
    const heard = new Promise<void>((resolve) => (this.#heard = resolve));
    await this.connections.query('SELECT pg_notify($1, $2)', [this.channel, '{}']);
    this.isHearing = await inTime(heard, this.settings.commandTimeoutMs / 2).then(
      () => true,
      () => false,
    );
    if (this.isHearing === this.#wasDeaf) {
      this.#wasDeaf = !this.isHearing;
      if (this.#wasDeaf)
        this.notify(
          'Notifications of PostgreSQL do not arrive, as behind a pooler: polling; `listen` may name a direct connection',
        );
      else this.notify('Notifications of PostgreSQL arrive');
    }
  }

  #receive(channel: string, payload: string): void {
    if (channel !== this.channel)
      return this.hearing.onMessage(channel.endsWith('.work') ? 'work' : 'revoked', payload);
    if (payload === '{}') this.#heard();
    else this.hearing.onMessage('own', payload);
  }

  #lost(client: Client): void {
    if (client !== this.#client) return;
    this.#client = undefined;
    this.isHearing = false;
    this.hearing.onTurn();
    this.#again = setTimeout(() => {
      this.#opening = this.#connect();
      this.#opening.then(
        () => this.hearing.onTurn(),
        () => {},
      );
    }, CONNECT_AGAIN_MS);
  }

  #beat(): void {
    const client = this.#client;
    if (!client) return;
    inTime(client.query('SELECT 1'), this.settings.commandTimeoutMs).catch(() => {
      client.end().catch(() => {});
      this.#lost(client);
    });
  }
}
