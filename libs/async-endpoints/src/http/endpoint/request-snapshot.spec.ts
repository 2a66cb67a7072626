import type { HttpRequest } from '../../options/options.js';
import { snapshot } from './request-snapshot.js';

describe('The request data of a handler', () => {
  it('contains no credentials, also in a nested query of the extended parser of Express', () => {
    const query = { user: { name: 'ann', password: 's1', login: [{ Token: 's2', at: 7 }] }, page: '2', key: 's3' };
    const request = { headers: {}, params: {}, query } as unknown as HttpRequest;
    const withheld: string[] = [];
    const onWithheld = (_declared: object, _option: string, name: string) => void withheld.push(name);
    const declared = { where: '', queryParams: new Set(['user']), routeParams: new Set<string>(), withheld: [] };
    const captured = { headers: [], queryParams: new Set(['page']), onWithheld };
    expect(snapshot(request, captured, declared)?.queryParams).toEqual([
      ['user', '{"name":"ann","login":[{"at":7}]}'],
      ['page', '2'],
    ]);
    expect(withheld).toEqual(['key']);
  });
});
