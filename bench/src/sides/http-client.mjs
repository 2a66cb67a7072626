import { Agent, request } from 'node:http';
import { serve } from '../child.mjs';
import { monotonicMicros, requestOf, resultOf } from './work.mjs';

const agent = new Agent({ keepAlive: true, maxSockets: 1 });
/** Held responses, and their outcomes. */
let held = [];

/** The duration of submissions with the result in the response, in µs, one after the other on one connection. */
async function waits({ url, count }) {
  return timed(count, async (n) => {
    const { status, body } = await post(url, n, { prefer: 'wait=5' });
    const { echo } = resultOf(requestOf(n));
    if (status !== 200 || body.status !== 'Completed' || body.result.n !== n || body.result.echo !== echo)
      throw new Error(`request ${n} was answered ${status} ${JSON.stringify(body)}`);
  });
}

/** The duration of two requests without a wait. */
async function pairs({ url, count }) {
  return timed(count, async (n) => {
    for (let part = 0; part < 2; part++) {
      const { status, body } = await post(url, n);
      if (status !== 202 || body.n !== n) throw new Error(`request ${n} was answered ${status}`);
    }
  });
}

async function timed(count, one) {
  const micros = [];
  for (let n = 0; n < count; n++) {
    const at = monotonicMicros();
    await one(n);
    micros.push(monotonicMicros() - at);
  }
  return micros;
}

/** Opens a stream of events for every other job, and a request that waits for its end for the others. */
async function hold({ url, ids, seconds }) {
  held = [];
  for (let from = 0; from < ids.length; from += 100) {
    const some = ids.slice(from, from + 100);
    await Promise.all(some.map((id, n) => (n % 2 === 0 ? openStream(url, id) : openWait(url, id, seconds))));
  }
}

/** The outcomes of the held responses, when all are complete. */
async function ends() {
  const texts = await Promise.all(held.map(({ text }) => text));
  return texts.filter((text) => text.includes('"status":"Completed"') && text.includes('"echo":')).length;
}

/** Resolves when the stream has begun. */
function openStream(url, id) {
  return new Promise((resolve, reject) => {
    request(`${url}/jobs/${id}/events`, { agent: false }, (response) => {
      held.push({ text: textOf(response, resolve) });
    })
      .on('error', reject)
      .end();
  });
}

/** Resolves when the request is sent, before its response. */
function openWait(url, id, seconds) {
  return new Promise((resolve, reject) => {
    const sent = request(`${url}/jobs/${id}`, { agent: false, headers: { prefer: `wait=${seconds}` } });
    held.push({ text: new Promise((answered) => sent.on('response', (response) => answered(textOf(response)))) });
    sent.on('error', reject).end(resolve);
  });
}

async function textOf(response, onFirst = () => {}) {
  let text = '';
  for await (const chunk of response.setEncoding('utf8')) {
    text += chunk;
    if (text.includes('data:')) onFirst();
  }
  return text;
}

function post(url, n, headers = {}) {
  return new Promise((resolve, reject) => {
    const all = { ...headers, 'content-type': 'application/json' };
    const sent = request(url, { method: 'POST', agent, headers: all }, (response) => {
      textOf(response).then((text) => resolve({ status: response.statusCode, body: JSON.parse(text) }), reject);
    });
    sent.on('error', reject).end(JSON.stringify(requestOf(n)));
  });
}

serve({ waits, pairs, hold, ends });
