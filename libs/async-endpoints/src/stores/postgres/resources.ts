import type { StoreResources } from '../../store/job-store.js';
import type { PostgresConnections } from './connections.js';
import type { PostgresListener } from './listener.js';

/**
 * Every role may read the sums. Of the transactions of other roles it sees the age only as a member of `pg_read_all_stats`. An open
 * or prepared transaction holds back vacuum in its own database only.
 */
const RESOURCES = `
SELECT
  (SELECT sum(numbackends) FROM pg_stat_database)::integer AS used,
  current_setting('max_connections')::integer - current_setting('superuser_reserved_connections')::integer AS limit,
  size::double precision AS size, dead::double precision AS dead,
  (SELECT 1000 * extract(epoch FROM clock_timestamp() - min(since)) FROM (
    SELECT xact_start FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND coalesce(backend_xmin, backend_xid) IS NOT NULL
    UNION ALL SELECT prepared FROM pg_prepared_xacts WHERE database = current_database()) AS open (since))::double precision AS open_ms
FROM (SELECT sum(pg_total_relation_size(relid)) AS size, sum(n_dead_tup) AS dead FROM pg_stat_user_tables WHERE schemaname = $1) AS tables`;

interface Row {
  readonly used: number;
  readonly limit: number;
  readonly size: number;
  readonly dead: number;
  readonly open_ms: number;
}

export async function readResources(
  connections: PostgresConnections,
  listener: PostgresListener,
  schema: string,
): Promise<StoreResources> {
  const [row] = await connections.query<Row>(RESOURCES, [schema]);
  if (!row) return {};
  const { used, limit, size: sizeBytes, dead: deadRows, open_ms: oldestTransactionMs } = row;
  const isNotified = listener.isOpened ? listener.isHearing : undefined;
  return { connections: { used, limit }, sizeBytes, deadRows, oldestTransactionMs, isNotified };
}
