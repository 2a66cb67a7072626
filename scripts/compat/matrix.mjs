/** What `@nestjs/cli` generates, and what each way of building it needs besides. */
export const TEMPLATES = {
  11: {
    modules: 'CommonJS',
    tests: 'Jest',
    builders: {
      tsc: { args: [], packages: [] },
      swc: { args: ['--builder', 'swc'], packages: ['@swc/cli@0.8', '@swc/core@1'] },
      webpack: { args: ['--builder', 'webpack'], packages: [] },
    },
  },
  12: {
    modules: 'ESM',
    tests: 'Vitest',
    builders: {
      tsc: { args: [], packages: [] },
      swc: { args: ['--builder', 'swc'], packages: ['@swc/cli@0.8', '@swc/core@1'] },
      rspack: {
        args: ['--builder', 'rspack'],
        packages: ['@rspack/core@2', 'webpack-node-externals@3', 'tsconfig-paths-webpack-plugin@4', 'ts-loader@9'],
      },
    },
  },
};

export const NODES = [20, 22, 24, 26];

/**
 * Every builder, Node.js version, package manager and ioredis version with every template. Builders and Node.js versions are
 * combined with each other; package managers and ioredis versions with every Node.js version.
 */
const FULL = [
  { manager: 'npm', ioredis: 6, builders: ['tsc', 'swc', 'bundler'], nodes: NODES, runTests: true },
  { manager: 'npm', ioredis: 5, builders: ['tsc'], nodes: NODES },
  { manager: 'pnpm', ioredis: 6, builders: ['tsc'], nodes: NODES },
];

/** What CI runs. The tests of the package run Jest in the template of CLI 11. */
const SHORT = [{ manager: 'npm', ioredis: 6, builders: ['tsc'], nodes: ['current'], runTests: true }];

/** @returns one entry for each application to install */
export function installations({ short, template }) {
  const templates = template ? [template] : short ? [12] : Object.keys(TEMPLATES);
  return templates.flatMap((name) =>
    (short ? SHORT : FULL).map((installation) => ({
      ...installation,
      template: Number(name),
      builders: installation.builders.map((builder) => (builder === 'bundler' ? bundlerOf(name) : builder)),
    })),
  );
}

function bundlerOf(template) {
  return Object.keys(TEMPLATES[template].builders).at(-1);
}
