import S3rver from '@20minutes/s3rver';
import { temporaryFolder } from '../temporary-folder.js';
import { writeWithFolders } from '../deployment/files.js';
import { join } from 'node:path';

export interface S3Server {
  /** For redis-offsite.sh: where the server is, and files with its key. */
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** An S3-compatible server of its own, with the bucket that target.env names. It checks signatures. */
export async function startS3Server(): Promise<S3Server> {
  const folder = temporaryFolder();
  const server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: join(folder, 'objects'),
    configureBuckets: [{ name: 'async-endpoints-backups' }],
  });
  const { port } = await server.run();
  return {
    env: {
      S3_ENDPOINT: `http://127.0.0.1:${port}`,
      S3_ACCESS_KEY_FILE: writeWithFolders(join(folder, 'access'), 'S3RVER\n'),
      S3_SECRET_KEY_FILE: writeWithFolders(join(folder, 'secret'), 'S3RVER\n'),
    },
    stop: () => server.close(),
  };
}
