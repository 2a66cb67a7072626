/** The alerts on series that only PostgreSQL or SQLite have, or that are provoked there. */
export const SQL_ALERTS: readonly string[] = [
  'AsyncEndpointsStoreConnections',
  'AsyncEndpointsStorePolling',
  'AsyncEndpointsStoreTransactionOld',
  'AsyncEndpointsStoreBloat',
  'AsyncEndpointsStoreDisk',
  'AsyncEndpointsStoreLog',
];

/** The panels of series that only PostgreSQL or SQLite have. */
export const SQL_PANELS: readonly string[] = [
  'Store disk',
  'Store size',
  'Dead rows',
  'Oldest transaction',
  'Store notifications',
];
