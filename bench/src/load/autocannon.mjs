import autocannon from 'autocannon';
import { serve } from '../child.mjs';
import { requestOf } from '../sides/work.mjs';

/** The load of `load.lua` where there is no wrk. */
async function run({ url, seconds, connections, reads }) {
  let next = 0;
  const submit = (request) => ({
    ...request,
    method: 'POST',
    headers: { ...request.headers, 'content-type': 'application/json' },
    body: JSON.stringify(requestOf(next++)),
  });
  const read = (request) => {
    const { path, entityTag } = reads[next++ % reads.length];
    return { ...request, path, headers: { ...request.headers, ...(entityTag && { 'if-none-match': entityTag }) } };
  };
  const setupRequest = reads ? read : submit;
  const result = await autocannon({ url, connections, duration: seconds, requests: [{ setupRequest }] });
  const failed = result.errors + result.timeouts + result['4xx'] + result['5xx'];
  return { requests: result.requests.total, failed, seconds: result.duration, p50: result.latency.p50 };
}

serve({ run });
