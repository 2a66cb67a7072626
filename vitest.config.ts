import { availableParallelism } from 'node:os';
import { configDefaults, defineConfig } from 'vitest/config';
import { LongFilesFirst } from './test/long-files-first.js';

export default defineConfig({
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  resolve: { tsconfigPaths: true },
  test: {
    globals: true,
    // More than there are cores: most of what tests do is to wait for a process.
    maxWorkers: availableParallelism() + 1,
    sequence: { sequencer: LongFilesFirst },
    // An unhandled rejection anywhere, also outside a test, fails the run: in an application it would end the process.
    dangerouslyIgnoreUnhandledErrors: false,
    // `.ci/run` counts the tests from it.
    reporters: process.env.TEST_REPORT ? ['default', ['json', { outputFile: process.env.TEST_REPORT }]] : ['default'],
    globalSetup: './test/run-folder.ts',
    setupFiles: ['./test/setup.ts'],
    projects: [
      // Longer than a test takes on a busy machine; what hangs is still found.
      {
        extends: true,
        test: { name: 'unit', include: ['libs/**/*.spec.ts'], testTimeout: 20_000, hookTimeout: 30_000 },
      },
      {
        extends: true,
        test: {
          name: 'e2e',
          include: ['test/**/*.e2e-spec.ts'],
          exclude: [...configDefaults.exclude, 'test/package/generated-app'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
