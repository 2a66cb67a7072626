import { isRedisUrl, readServersUrl } from './url.js';

describe('A URL of several servers', () => {
  it.each([
    ['redis+cluster://a:7000', 'cluster', [['a', 7000]], '', {}],
    [
      'redis+cluster://a,b:7001/',
      'cluster',
      [
        ['a', 6379],
        ['b', 7001],
      ],
      '',
      {},
    ],
    [
      'redis+cluster://[::1]:7000,[fe80::1]',
      'cluster',
      [
        ['::1', 7000],
        ['fe80::1', 6379],
      ],
      '',
      {},
    ],
    ['redis+cluster://u%40x:p%3Aw@a', 'cluster', [['a', 6379]], '', { username: 'u@x', password: 'p:w' }],
    ['rediss+cluster://:pw@a', 'cluster', [['a', 6379]], '', { password: 'pw', tls: {} }],
    [
      'redis+sentinel://a,b,c:1/main',
      'sentinel',
      [
        ['a', 26379],
        ['b', 26379],
        ['c', 1],
      ],
      'main',
      {},
    ],
    [
      'redis+sentinel://u:p@a/my%20main/2',
      'sentinel',
      [['a', 26379]],
      'my main',
      { username: 'u', password: 'p', db: 2 },
    ],
    [
      'rediss+sentinel://a/main',
      'sentinel',
      [['a', 26379]],
      'main',
      { tls: {}, enableTLSForSentinelMode: true, sentinelTLS: {} },
    ],
  ] as const)('says where they are, and as whom: %s', (url, kind, servers, name, options) => {
    const expected = { kind, servers: servers.map(([host, port]) => ({ host, port })), name, options };
    expect(readServersUrl(url)).toEqual(expected);
    expect(isRedisUrl(url)).toBe(true);
  });

  it.each([
    'redis+cluster://',
    'redis+cluster://a:7000/1',
    'redis+cluster://a:0',
    'redis+cluster://a:65536',
    'redis+cluster://a,,b',
    'redis+cluster://a?tls=true',
    'redis+cluster://u:%zz@a',
    'redis+sentinel://a:26379',
    'redis+sentinel://a/main/one',
    'redis+other://a',
    'http://a',
    'redis://',
  ])('is refused when a part is missing or superfluous: %s', (url) => {
    expect(isRedisUrl(url)).toBe(false);
  });
});
