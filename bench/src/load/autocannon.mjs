import autocannon from 'autocannon';
import { serve } from '../child.mjs';
import { requestOf } from '../sides/work.mjs';

/** The load of `load.lua`, for machines without wrk. */
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
  const { errors, timeouts, '4xx': refused, '5xx': broken } = result;
  const how = `${errors} errors, ${timeouts} timeouts, ${refused} 4xx, ${broken} 5xx`;
  const failed = errors + timeouts + refused + broken;
  return { requests: result.requests.total, failed, how, seconds: result.duration };
}

serve({ run });
