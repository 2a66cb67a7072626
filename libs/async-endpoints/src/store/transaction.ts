import { invalidOption } from '../job/errors.js';
import { propertyOf } from '../job/thrown.js';

/** Runs a statement in the caller's transaction. Parameters are `$1`, `$2` and so on. Returns the rows, as objects. */
export type Execute = (sql: string, parameters: readonly unknown[]) => Promise<readonly object[]>;

/** The transaction of a caller. */
export interface Transaction {
  readonly execute: Execute;
  /** Returns the connection of the driver or a promise of it, and undefined without one. For drivers that run in the process. */
  connection(): unknown;
}

/** An object or function with any members. */
type Shape = Readonly<Record<string, unknown>> & ((...args: never[]) => unknown);
type Method = (...args: unknown[]) => Promise<unknown>;

interface Kind {
  readonly name: string;
  is(given: Shape): boolean;
  /** False when the object shows that no transaction is open. */
  isOpen(given: Shape): boolean;
  /** Absent where the driver does not speak to PostgreSQL. */
  execute?(given: Shape): Execute;
  /** Absent where the driver does not speak to SQLite. */
  connection?(given: Shape): unknown;
}

const has = (given: Shape, ...methods: string[]) => methods.every((method) => typeof given[method] === 'function');
const call = (given: Shape, method: string, ...args: unknown[]) => (given[method] as Method).apply(given, args);
const withMarks = (sql: string) => sql.replaceAll(/\$\d+/g, '?');
const rowsOf = (result: unknown) => (Array.isArray(result) ? result : (result as { rows: object[] }).rows) as object[];

/** How to recognise the transaction objects of ORMs and drivers without importing them. The first match counts. */
const KINDS: readonly Kind[] = [
  {
    name: 'Knex',
    is: (given) => has(given, 'raw', 'select'),
    isOpen: ({ isTransaction }) => isTransaction === true,
    execute: (given) => async (sql, parameters) => rowsOf(await call(given, 'raw', withMarks(sql), parameters)),
    connection: ({ client }) => call(client as Shape, 'acquireConnection'),
  },
  {
    name: 'TypeORM',
    is: (given) =>
      has(given, 'query') && ('isTransactionActive' in given || 'queryRunner' in given || has(given, 'getRepository')),
    isOpen: (given) => ((given['queryRunner'] ?? given) as Shape)['isTransactionActive'] === true,
    execute: (given) => async (sql, parameters) => (await call(given, 'query', sql, parameters)) as object[],
    connection: (given) => call((given['queryRunner'] ?? given) as Shape, 'connect'),
  },
  {
    name: 'MikroORM',
    is: (given) => has(given, 'execute', 'isInTransaction'),
    isOpen: (given) => (given['isInTransaction'] as () => boolean).call(given),
    execute: (given) => async (sql, parameters) =>
      (await call(given, 'execute', withMarks(sql), parameters)) as object[],
  },
  {
    name: 'Sequelize',
    is: (given) => has(given, 'afterCommit', 'rollback') && 'sequelize' in given,
    isOpen: ({ finished }) => finished === undefined,
    execute: (given) => async (sql, bind) => {
      const options = { bind, transaction: given, type: 'SELECT' };
      return (await call(given['sequelize'] as Shape, 'query', sql, options)) as object[];
    },
  },
  {
    name: 'Prisma',
    is: (given) => has(given, '$queryRawUnsafe'),
    // Only the client outside of transactions has it.
    isOpen: (given) => !has(given, '$connect'),
    execute: (given) => async (sql, parameters) =>
      (await call(given, '$queryRawUnsafe', sql, ...parameters)) as object[],
  },
  {
    name: 'Drizzle',
    is: (given) => has(given, 'execute', 'selectDistinctOn'),
    isOpen: (given) => has(given, 'rollback'),
    execute: (given) => async (sql, params) => {
      const statement = { getSQL: () => ({ toQuery: () => ({ sql, params }) }) };
      return rowsOf(await call(given, 'execute', statement));
    },
  },
  {
    name: 'postgres.js',
    is: (given) => has(given, 'unsafe') && (has(given, 'savepoint') || has(given, 'begin')),
    isOpen: (given) => has(given, 'savepoint'),
    execute: (given) => async (sql, parameters) => (await call(given, 'unsafe', sql, parameters)) as object[],
  },
  {
    name: 'pg',
    is: (given) => has(given, 'query', 'escapeIdentifier') || (has(given, 'query') && 'totalCount' in given),
    // `I`: idle. Older versions of pg do not say.
    isOpen: (given) =>
      !('totalCount' in given) &&
      !(has(given, 'getTransactionStatus') && (given['getTransactionStatus'] as () => unknown).call(given) === 'I'),
    execute: (given) => async (sql, parameters) => rowsOf(await call(given, 'query', sql, parameters)),
  },
  {
    name: 'better-sqlite3 or node:sqlite',
    is: (given) => has(given, 'prepare', 'exec'),
    isOpen: () => true, // the store checks it on the connection
    connection: (given) => given,
  },
  {
    name: 'a function',
    is: (given) => typeof given === 'function',
    isOpen: () => true,
    execute: (given) => given as unknown as Execute,
  },
];

/** One for each object, so that a store knows which submissions belong to the same transaction. */
const transactions = new WeakMap<object, Transaction>();

/**
 * Returns the transaction that `within` names.
 *
 * @throws AsyncEndpointsError `INVALID_OPTION` when the object is not recognised, and when no transaction is open
 */
export function transactionOf(within: unknown): Transaction {
  const isThere = (typeof within === 'object' && within !== null) || typeof within === 'function';
  const kind = isThere ? KINDS.find(({ is }) => is(within as Shape)) : undefined;
  const names = KINDS.slice(0, -1).map(({ name }) => name);
  const expected = `a transaction of ${names.join(', ')}, or a function (sql, parameters) => rows`;
  if (!kind) throw invalidOption(`within is not recognised; expected ${expected}.`);
  if (!kind.isOpen(within as Shape))
    throw invalidOption(`within is of ${kind.name}, but no transaction is open; expected ${expected}.`);
  const transaction = transactions.get(within as Shape) ?? make(kind, within as Shape);
  transactions.set(within as Shape, transaction);
  return transaction;
}

function make(kind: Kind, given: Shape): Transaction {
  const otherwise = () => Promise.reject(invalidOption(`within is of ${kind.name}, but the jobs are in PostgreSQL.`));
  return {
    execute: kind.execute ? withoutValues(kind.execute(given)) : otherwise,
    connection: () => kind.connection?.(given),
  };
}

/** Errors of ORMs quote the statement with its values, so only the code is kept. The caller needs it to decide about a retry. */
function withoutValues(execute: Execute): Execute {
  return async (sql, parameters) => {
    try {
      return await execute(sql, parameters);
    } catch (error) {
      const code = codeOf(error);
      const reason = `The transaction did not take the submission${code === undefined ? '' : ` (${code})`}.`;
      throw Object.assign(new Error(reason), code !== undefined && { code });
    }
  };
}

/** The code of the database, which the errors of Prisma, Sequelize and Drizzle have inside; else that of the ORM. */
function codeOf(error: unknown): string | undefined {
  const paths = ['meta.driverAdapterError.cause.originalCode', 'original.code', 'cause.code', 'code'];
  const codes = paths.map((path) => path.split('.').reduce<unknown>(propertyOf, error));
  return codes.find((one): one is string => typeof one === 'string');
}
