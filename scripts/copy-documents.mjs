// Copies the documents into the package: the README, and every document of the repository that its links lead to.
import { cp, mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../', import.meta.url));
const target = join(root, 'libs/async-endpoints');

await rm(join(target, 'docs'), { recursive: true, force: true });
const documents = new Set(['README.md', 'LICENSE']);
// The set grows while it is read.
for (const document of documents) {
  await mkdir(dirname(join(target, document)), { recursive: true });
  await cp(join(root, document), join(target, document));
  for (const link of await linksOf(document)) documents.add(link);
}

async function linksOf(document) {
  const text = await readFile(join(root, document), 'utf8');
  const links = [...text.matchAll(/\]\((?![a-z]+:|#)([^)#\s]+)/g)].map(([, path]) => join(dirname(document), path));
  return links.filter((path) => path.endsWith('.md') || path === 'LICENSE');
}
