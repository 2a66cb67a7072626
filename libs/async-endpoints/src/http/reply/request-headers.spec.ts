import { preferencesOf } from './request-headers.js';

const WAIT_OF_HEADER: Record<string, number | null> = {
  'wait=5': 5,
  'wait=5, wait=7': 5,
  'Wait=5': 5,
  'wait = "5" ; slack=2': 5,
  'respond-async; foo="bar", wait=5': 5,
  'foo="a, wait=9", wait=5': 5,
  'foo="a\\", wait=9", wait=5': 5,
  ', ,wait=5,': 5,
  'foo="a, wait=9': null,
  'await=5': null,
  'foo; wait=5': null,
  'wait=5s': null,
};

/** RFC 7240; an HTTP server joins several `Prefer` headers by commas. */
describe('The preferences of a client', () => {
  it.each(Object.entries(WAIT_OF_HEADER))('%s: wait %s', (prefer, wait) => {
    const request = { method: 'GET', url: '/', headers: { prefer } };
    expect(preferencesOf(request, 600_000)).toEqual({ respondAsync: prefer.includes('respond-async'), wait });
  });
});
