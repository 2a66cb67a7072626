import { join } from 'node:path';
import { defineConfig, mergeConfig } from 'vitest/config';
import config from '../../vitest.config.js';

/** Runs tests of this repository with the packages of another application, such as Nest 11, in place of its own. */
const modules = process.env.NEST_MODULES ?? 'the node_modules of an application';

export default mergeConfig(
  config,
  defineConfig({
    root: new URL('../../', import.meta.url).pathname,
    resolve: {
      alias: [
        { find: /^(@nestjs\/[a-z-]+|nestjs-cls)(\/.*)?$/, replacement: join(modules, '$1$2') },
        { find: /^rxjs$/, replacement: join(modules, 'rxjs/dist/cjs/index.js') }, // an Observable is one of the same copy
      ],
    },
  }),
);
