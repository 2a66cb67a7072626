import { stat, statfs } from 'node:fs/promises';
import type { StoreResources } from '../../store/job-store.js';

/** The size of the file with its log, and the use of its disk. Space that only root may use counts as used. */
export async function readResources(path: string): Promise<StoreResources> {
  const sizeOf = (file: string) =>
    stat(file).then(
      ({ size }) => size,
      () => 0, // it is not there
    );
  const [fileBytes, logBytes, { bsize, blocks, bavail }] = await Promise.all([
    sizeOf(path),
    sizeOf(`${path}-wal`),
    statfs(path),
  ]);
  const disk = { used: (blocks - bavail) * bsize, limit: blocks * bsize };
  return { disk, sizeBytes: fileBytes + logBytes, logBytes };
}
