/**
 * Keeps the built demo of a release, so that the tests of test/rollout can run its processes beside those of this checkout:
 *
 *   git worktree add /tmp/release v1.2.0 && (cd /tmp/release && npm ci && npm run build && npx nest build api worker)
 *   node scripts/keep-release.mjs /tmp/release 1.2.0
 *
 * Run it with each release, right after it is published. The packages that it needs are those of this checkout.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';

const [checkout, release] = process.argv.slice(2);
if (!checkout || !release) throw new Error('Usage: node scripts/keep-release.mjs <built checkout> <its version>');
const dist = join(checkout, 'dist');
const paths = readdirSync(dist, { recursive: true, encoding: 'utf8' }).filter((path) => path.endsWith('.js'));
const files = Object.fromEntries(paths.toSorted().map((path) => [path, readFileSync(join(dist, path), 'utf8')]));
const target = new URL('../test/rollout/last-release.json.br', import.meta.url);
writeFileSync(target, brotliCompressSync(JSON.stringify({ release, files })));
