// Submits a job to the store in the named file for each line of its input.
import { createInterface } from 'node:readline';
import { SqliteJobStore } from '../../libs/async-endpoints/dist/stores/sqlite/index.js';
import { aJob } from '../../libs/async-endpoints/dist/testing/index.js';

const store = new SqliteJobStore({ path: process.argv[2] });
await store.open();
process.stdout.write('open\n');
createInterface({ input: process.stdin }).on('line', () => void store.submit([aJob()], { queueLimit: 1_000 }));
