import Database from 'better-sqlite3';
import { placeOf } from '../sqlite-file.mjs';
import { SqliteJobStore } from './library.mjs';
import { serveOurs } from './our-side.mjs';

/** The number of calls of statements in this process. */
let statements = 0;
const connection = new Database(':memory:');
const statement = Object.getPrototypeOf(connection.prepare('SELECT 1'));
connection.close();
for (const call of ['run', 'get', 'all']) {
  const original = statement[call];
  statement[call] = function (...values) {
    statements++;
    return original.apply(this, values);
  };
}

serveOurs((port) => new SqliteJobStore(placeOf(port)), { statements: () => statements });
