/** The arrows of the house (docs/architecture.md): which room may look into which. */
const lib = '^libs/async-endpoints/src/';
const room = (name) => `${lib}${name}/`;
const root = (...names) => names.map((name) => `${lib}${name}[.]ts$`);

/** Rooms and root files, each with what it may import beside itself. Specs are free. */
const arrows = {
  [room('job')]: [],
  [room('store')]: [room('job'), room('observability')],
  [room('observability')]: [room('job'), room('store')],
  [room('handlers')]: [room('job'), ...root('options', 'job-policies')],
  [room('worker')]: [room('handlers'), room('store'), room('observability'), room('job'), ...root('options', 'wait')],
  [room('http')]: [room('job'), room('observability'), ...root('options', 'job-manager', 'fingerprint')],
  [room('redis')]: [room('store'), room('job'), room('observability')],
  [room('health')]: [room('store'), room('worker'), room('observability'), room('job'), ...root('options', 'wait')],
  [room('config')]: [
    room('job'),
    room('store'),
    room('redis'),
    ...root('options', 'option-definitions', 'option-rules'),
  ],
  [room('cli')]: [
    room('config'),
    room('redis'),
    room('store'),
    room('job'),
    room('observability'),
    ...root('option-rules'),
  ],
  [room('telemetry')]: [room('job'), room('store'), room('worker'), room('observability'), ...root('job-policies')],
  [room('client')]: [room('job')],
  [room('testing')]: [room('job'), room('store'), room('handlers'), room('worker'), ...root('job-manager')],
};

/** Packages that one room alone may import; applications may, too, but for ioredis. */
const optional = {
  health: ['@nestjs/terminus'],
  config: ['@nestjs/config', '^dotenv'],
  '(config|handlers)': ['class-validator'],
  cli: ['node_modules/commander'],
  telemetry: ['@opentelemetry/'],
  redis: ['node_modules/ioredis'],
};

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(arrows).map(([from, allowed]) => ({
      name: `arrows-of-${from.replace(lib, '').replace('/', '')}`,
      severity: 'error',
      from: { path: from, pathNot: '[.](spec|testing)[.]ts$' },
      to: { path: lib, pathNot: [from, ...allowed] },
    })),
    {
      name: 'job-is-pure',
      severity: 'error',
      from: { path: room('job'), pathNot: '[.]spec[.]ts$' },
      to: { dependencyTypesNot: ['local'], pathNot: lib },
    },
    {
      name: 'client-is-free-of-frameworks',
      comment:
        'It runs in browsers: no package, no module of Node, and of the job room nothing but types and defineJob.',
      severity: 'error',
      from: { path: room('client'), pathNot: '[.]spec[.]ts$' },
      to: { pathNot: [room('client'), room('job')] },
    },
    {
      name: 'client-takes-only-types',
      severity: 'error',
      from: { path: room('client'), pathNot: '[.]spec[.]ts$' },
      to: { path: room('job'), pathNot: `${lib}job/define-job[.]ts$`, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'public-names-only',
      comment: 'Apps, the demo and the tests use the package as its users do.',
      severity: 'error',
      from: { path: '^(apps|libs/demo|test)/' },
      to: { path: lib, pathNot: [`${lib}index[.]ts$`, `${lib}[a-z]+(/contract)?/index[.]ts$`] },
    },
    { name: 'package-knows-no-app', severity: 'error', from: { path: lib }, to: { path: '^(apps|libs/demo|test)/' } },
    ...Object.entries(optional).map(([home, packages]) => ({
      name: `optional-packages-of-${home}`,
      comment: 'An application that does not use the room does not have them.',
      severity: 'error',
      from: { path: home === 'redis' ? '^(libs|apps)/' : lib, pathNot: room(home) },
      to: { path: packages },
    })),
    {
      name: 'swagger-nowhere-in-the-package',
      comment: 'It is described to, by metadata (docs/decisions/0030); an application without it must not miss it.',
      severity: 'error',
      from: { path: lib, pathNot: '[.]spec[.]ts$' },
      to: { path: '@nestjs/swagger' },
    },
    {
      name: 'no-undeclared-packages',
      severity: 'error',
      from: { path: '^(libs|apps)/', pathNot: '[.](spec|properties|testing)[.]ts$' },
      to: {
        dependencyTypes: ['npm-no-pkg', 'npm-unknown', 'unknown', 'undetermined'],
        dependencyTypesNot: ['npm-peer'],
      },
    },
  ],
  options: {
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    // Our own only: a package whose code is in its dist must be seen.
    exclude: { path: ['^dist/', '^libs/[^/]+/dist/'] },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
    },
  },
};
