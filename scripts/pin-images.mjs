// Pins by digest every image that production builds on or runs: looks the tags up with skopeo, which knows the registries and
// logins of `docker login`, and writes the digests into the Dockerfile, the compose files of production and k8s. Run it again to update.
//
//   node scripts/pin-images.mjs            exits with 1 where an image cannot be looked up; the others are pinned all the same
//   node scripts/pin-images.mjs --check    changes nothing; exits with 1 where an image is not pinned
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';

const run = promisify(execFile);
const DIGEST = /@sha256:[\da-f]{64}$/;
/** Images of ours that `docker compose` builds on the machine that runs them, and overlays that no production runs. */
const BUILT_HERE = /\$\{/;
const DEVELOPMENT = /(?:^|\/)overlays\/development\//;
/** Where a reference stands: what comes before it, and the reference. */
const REFERENCE = /^(ARG \w+_IMAGE=| *(?:- )?image: )(\S+)$/gm;
/** Of kustomize: the name that a manifest has, and what stands for it. */
const REPLACED = /(\{ name: (\S+), newName: (\S+), newTag: ([^\s,]+))(, digest: \S+)? \}/g;

const manifests = readdirSync('k8s', { recursive: true })
  .map((path) => `k8s/${path.replaceAll('\\', '/')}`)
  .filter((path) => path.endsWith('.yaml') && !DEVELOPMENT.test(path));
const files = [
  'Dockerfile',
  'compose.production.yaml',
  'compose.postgres.yaml',
  'compose.monitoring.yaml',
  ...manifests.toSorted(),
].map((path) => {
  return { path, text: readFileSync(path, 'utf8') };
});
const replaced = new Set(files.flatMap(({ text }) => [...text.matchAll(REPLACED)].map(([, , name]) => name)));

/** Every reference of a file, and what becomes of it: `pin` gets it without a digest, and whether it has one. */
function rewrite(text, pin) {
  const direct = text.replaceAll(REFERENCE, (all, before, reference) => {
    if (BUILT_HERE.test(reference) || replaced.has(reference)) return all;
    const tagged = reference.replace(DIGEST, '');
    const digest = pin(tagged, tagged !== reference);
    return digest ? `${before}${tagged}@${digest}` : all;
  });
  return direct.replaceAll(REPLACED, (...found) => {
    const [all, before, , newName, newTag, known] = found;
    const digest = pin(`${newName}:${newTag}`, known !== undefined);
    return digest ? `${before}, digest: ${digest} }` : all;
  });
}

/** Of the index where there is one, so that each platform gets its own image. */
async function digestOf(reference) {
  const { stdout } = await run('skopeo', ['inspect', '--no-tags', '--format', '{{.Digest}}', `docker://${reference}`]);
  return stdout.trim();
}

const references = new Map();
for (const { path, text } of files) {
  rewrite(text, (reference, isPinned) => {
    const places = references.get(reference) ?? { paths: new Set(), isPinned: true };
    places.paths.add(path);
    places.isPinned &&= isPinned;
    references.set(reference, places);
  });
}
const complain = (reference, what) =>
  console.error(`${reference} ${what} (${[...references.get(reference).paths].join(', ')})`);

if (process.argv.includes('--check')) {
  const loose = [...references].filter(([, { isPinned }]) => !isPinned);
  for (const [reference] of loose) complain(reference, 'is not pinned');
  process.exitCode = loose.length > 0 ? 1 : 0;
} else {
  const digests = new Map();
  const lookUp = async (reference) => {
    try {
      digests.set(reference, await digestOf(reference));
      console.log(`${reference}@${digests.get(reference)}`);
    } catch (error) {
      complain(reference, `cannot be looked up: ${String(error.stderr || error.message).trim()}`);
      process.exitCode = 1;
    }
  };
  await Promise.all([...references.keys()].map(lookUp));
  for (const { path, text } of files) {
    const pinned = rewrite(text, (reference) => digests.get(reference));
    if (pinned !== text) writeFileSync(path, pinned);
  }
}
