// Writes the tables of README.md and bench/README.md from bench/results.json; with --check, only says whether they agree.
import { outdated, writeDocuments } from './results.mjs';

if (process.argv.includes('--check')) {
  for (const { document } of await outdated()) {
    console.error(`${document} disagrees with bench/results.json: run node bench/src/write-readme.mjs`);
    process.exitCode = 1;
  }
} else await writeDocuments();
