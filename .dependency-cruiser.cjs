/** The arrows of the house (docs/architecture.md): which room may look into which. */
const lib = '^libs/async-endpoints/src/';
/** Rooms, each with the rooms that it may import. Specs are free. */
const ROOMS = {
  job: [],
  nest: [],
  events: ['job'],
  store: ['job', 'events'],
  options: ['job', 'store'],
  schedules: ['job', 'store', 'events'],
  handlers: ['job', 'options', 'nest', 'schedules'],
  jobs: ['job', 'options', 'store', 'events', 'schedules'],
  worker: ['job', 'options', 'store', 'events', 'handlers', 'jobs', 'schedules'],
  http: ['job', 'options', 'events', 'jobs', 'nest'],
  'http/openapi': ['job', 'options', 'nest', 'http/reply'],
  'http/reply': ['job', 'options', 'store', 'events', 'jobs', 'nest'],
  'http/endpoint': ['job', 'options', 'events', 'jobs', 'nest', 'http', 'http/reply', 'http/openapi'],
  'http/status': ['job', 'options', 'events', 'jobs', 'nest', 'http', 'http/reply', 'http/openapi'],
  'stores/memory': ['job', 'store', 'events'],
  'stores/redis': ['job', 'store', 'events', 'stores/redis/scripts'],
  'stores/redis/scripts': ['job'],
  'stores/sql': ['job'],
  'stores/sqlite': ['job', 'store', 'events', 'stores/sql'],
  'stores/postgres': ['job', 'store', 'events', 'stores/sql', 'stores/postgres/functions'],
  'stores/postgres/functions': [],
  boot: [
    'job',
    'options',
    'store',
    'stores/memory',
    'events',
    'handlers',
    'worker',
    'nest',
    'http',
    'http/reply',
    'http/endpoint',
    'http/status',
  ],
  health: ['job', 'options', 'store', 'events', 'worker'],
  telemetry: ['job', 'options', 'store', 'events', 'worker'],
  config: ['job', 'options', 'store', 'stores/redis', 'stores/postgres', 'stores/sqlite'],
  cli: ['job', 'options', 'store', 'stores/redis', 'stores/postgres', 'stores/sqlite', 'events', 'config', 'schedules'],
  client: ['job'],
  dashboard: ['job', 'options', 'store', 'events', 'jobs', 'nest', 'schedules'],
  'dashboard/page': [],
  testing: ['job', 'store', 'stores/memory', 'handlers', 'worker', 'jobs', 'options'],
  'testing/contract': ['job', 'store', 'testing'],
};

/** What the root, the package's main entry point, is made of; the other rooms are reached by entry points of their own. */
const CORE = [
  'job',
  'nest',
  'events',
  'store',
  'options',
  'schedules',
  'handlers',
  'jobs',
  'worker',
  'http',
  'stores/memory',
  'boot',
];
const ROOT = [...CORE, 'http/openapi', 'http/reply', 'http/endpoint', 'http/status'];

/** The files of a room, without those of rooms within it. */
const room = (name) => `${lib}${name}/[^/]+$`;
const rootFiles = `${lib}(index|async-endpoints[.]module)[.]ts$`;
const homeless = { path: lib, pathNot: [rootFiles, ...Object.keys(ROOMS).map(room)] };

/** Packages that one room alone may import; applications may, too, but for ioredis. */
const optional = {
  health: ['@nestjs/terminus'],
  config: ['@nestjs/config', '^dotenv'],
  '(config|handlers)': ['class-validator'],
  cli: ['node_modules/commander'],
  schedules: ['node_modules/croner'],
  telemetry: ['@opentelemetry/'],
  'stores/redis': ['node_modules/ioredis'],
  'stores/sqlite': ['node_modules/better-sqlite3'],
  'stores/postgres': ['node_modules/(@types/)?pg/'],
};

module.exports = {
  forbidden: [
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    ...Object.entries(ROOMS).map(([name, others]) => ({
      name: `arrows-of-${name}`,
      severity: 'error',
      from: { path: room(name), pathNot: '[.](spec|testing|properties|model)[.]ts$' },
      to: { path: lib, pathNot: [room(name), ...others.map(room)] },
    })),
    {
      name: 'arrows-of-the-root',
      severity: 'error',
      from: { path: rootFiles },
      to: { path: lib, pathNot: [rootFiles, ...ROOT.map(room)] },
    },
    {
      name: 'every-file-has-a-room',
      comment: 'The root holds the entry point and the composition root, nothing else.',
      severity: 'error',
      from: {},
      to: homeless,
    },
    { name: 'no-file-without-a-room', severity: 'error', from: homeless, to: {} },
    {
      name: 'nest-internals-in-one-file',
      severity: 'error',
      from: { path: lib, pathNot: room('nest') },
      to: { path: 'node_modules/@nestjs/(common/constants|core/helpers|core/injector)' },
    },
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
      to: { path: lib, pathNot: [`${lib}index[.]ts$`, `${lib}(stores/)?[a-z]+(/contract)?/index[.]ts$`] },
    },
    { name: 'package-knows-no-app', severity: 'error', from: { path: lib }, to: { path: '^(apps|libs/demo|test)/' } },
    ...Object.entries(optional).map(([home, packages]) => ({
      name: `optional-packages-of-${home}`,
      comment: 'An application that does not use the room does not have them.',
      severity: 'error',
      from: { path: home === 'stores/redis' ? '^(libs|apps)/' : lib, pathNot: `${lib}${home}/` },
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
      // The packages of the page are copied into the build (scripts/build-dashboard.mjs).
      from: { path: '^(libs|apps)/', pathNot: ['[.](spec|properties|testing)[.]ts$', room('dashboard/page')] },
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
