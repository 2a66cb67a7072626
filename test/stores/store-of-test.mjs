const STORES = {
  redis: async () => (await import('../../dist/libs/async-endpoints/src/stores/redis/index.js')).RedisJobStore,
  postgres: async () => (await import('../../dist/libs/async-endpoints/src/stores/postgres/index.js')).PostgresJobStore,
  sqlite: async () => (await import('../../dist/libs/async-endpoints/src/stores/sqlite/index.js')).SqliteJobStore,
};

/** The store of the variable `STORE`: its kind and options, as JSON. */
export async function storeOfTest() {
  const [kind, options] = JSON.parse(process.env.STORE);
  const Store = await STORES[kind]();
  return new Store(options);
}
