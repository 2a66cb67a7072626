import { execFile } from 'node:child_process';
import { symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { temporaryFolder } from '../temporary-folder.js';

/** What the tests use of a generated client. */
export interface Prisma {
  $transaction<T>(work: (tx: object) => Promise<T>, options?: object): Promise<T>;
  $disconnect(): Promise<void>;
}

const SCHEMA = `
generator client {
  provider = "prisma-client"
  output   = "./generated"
}
datasource db {
  provider = "postgresql"
}
model Order {
  id   Int    @id @default(autoincrement())
  item String
}
`;

/** A client as `npx prisma generate` makes it. It needs no engine, but looks for one, which it would download. */
export async function generatePrismaClient(): Promise<new (options: { adapter: object }) => Prisma> {
  const folder = temporaryFolder();
  const modules = new URL('../../node_modules', import.meta.url).pathname;
  await Promise.all([writeFile(join(folder, 'schema.prisma'), SCHEMA), symlink(modules, join(folder, 'node_modules'))]);
  await promisify(execFile)(process.execPath, [join(modules, 'prisma/build/index.js'), 'generate'], {
    cwd: folder,
    env: {
      ...process.env,
      PRISMA_SCHEMA_ENGINE_BINARY: process.execPath,
      CHECKPOINT_DISABLE: '1',
      PRISMA_HIDE_UPDATE_MESSAGE: '1',
    },
  });
  const client = (await import(join(folder, 'generated/client.ts'))) as { PrismaClient: never };
  return client.PrismaClient;
}
