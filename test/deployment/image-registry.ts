import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { freePort } from '@app/redis-server';
import { eventually } from 'nestjs-async-endpoints/testing';
import { temporaryFolder } from '../temporary-folder.js';
import { writeWithFolders } from './files.js';

/** Whether there is a registry of images here, and the tool that asks one. */
export const HAS_REGISTRY = ['docker-registry', 'skopeo'].every(
  (command) => spawnSync(command, ['--help'], { stdio: 'ignore' }).status === 0,
);

/** A real registry of images, in the place of all others for who has its environment. */
export interface ImageRegistry {
  readonly env: NodeJS.ProcessEnv;
  /** Pushes an image that differs from all others under this reference. @returns its digest */
  push(reference: string): string;
  stop(): Promise<unknown>;
}

export async function startImageRegistry(hosts: readonly string[]): Promise<ImageRegistry> {
  const [port, folder] = [await freePort(), temporaryFolder()];
  const config = ['version: 0.1', 'storage:', `  filesystem: { rootdirectory: ${folder}/data }`, 'http:'];
  const file = writeWithFolders(join(folder, 'config.yml'), [...config, `  addr: 127.0.0.1:${port}`, ''].join('\n'));
  const server = spawn('docker-registry', ['serve', file], { stdio: 'ignore' });
  const ended = once(server, 'exit');
  process.once('exit', () => server.kill('SIGKILL'));
  await eventually(() =>
    fetch(`http://127.0.0.1:${port}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    ),
  );
  const location = (host: string) => `127.0.0.1:${port}/${host}`;
  const registries = hosts.map(
    (host) => `[[registry]]\nprefix = "${host}"\nlocation = "${location(host)}"\ninsecure = true\n`,
  );
  writeWithFolders(join(folder, '.config/containers/registries.conf'), registries.join(''));
  const env = { ...process.env, HOME: folder };
  let pushed = 0;
  return {
    env,
    push(reference) {
      const { layout, digest } = writeImage(join(folder, `image-${++pushed}`), String(pushed));
      const target = `docker://${location(fullNameOf(reference))}`;
      execFileSync('skopeo', ['copy', '--dest-tls-verify=false', `oci:${layout}`, target], { stdio: 'ignore' });
      return digest;
    },
    stop() {
      server.kill('SIGKILL');
      return ended;
    },
  };
}

/** As `docker pull` reads it. */
function fullNameOf(reference: string): string {
  if (/^[^/]*[.:][^/]*\//.test(reference)) return reference;
  return `docker.io/${reference.includes('/') ? '' : 'library/'}${reference}`;
}

/** An image of one empty layer, as an OCI layout. */
function writeImage(layout: string, comment: string): { layout: string; digest: string } {
  const blob = (content: Buffer | string, mediaType: string) => {
    const hash = createHash('sha256').update(content).digest('hex');
    writeWithFolders(join(layout, 'blobs/sha256', hash), content);
    return { mediaType, digest: `sha256:${hash}`, size: Buffer.byteLength(content) };
  };
  const type = (what: string) => `application/vnd.oci.image.${what}`;
  const tar = Buffer.alloc(1024);
  const layer = blob(gzipSync(tar), type('layer.v1.tar+gzip'));
  const diffIds = [`sha256:${createHash('sha256').update(tar).digest('hex')}`];
  const rootfs = { type: 'layers', diff_ids: diffIds };
  const config = blob(
    JSON.stringify({ architecture: 'amd64', os: 'linux', history: [{ comment }], rootfs }),
    type('config.v1+json'),
  );
  const manifest = blob(
    JSON.stringify({ schemaVersion: 2, mediaType: type('manifest.v1+json'), config, layers: [layer] }),
    type('manifest.v1+json'),
  );
  writeWithFolders(join(layout, 'oci-layout'), JSON.stringify({ imageLayoutVersion: '1.0.0' }));
  writeWithFolders(join(layout, 'index.json'), JSON.stringify({ schemaVersion: 2, manifests: [manifest] }));
  return { layout, digest: manifest.digest };
}
