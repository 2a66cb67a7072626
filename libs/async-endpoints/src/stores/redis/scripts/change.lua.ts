import { WORKER_CRASHED } from '../../../job/lifecycle.js';
import { defineScript } from './define-script.js';
import { SILENCE } from './silence.lua.js';
import { TRANSITION } from './transition.lua.js';

/** Whether a claim that has run out is of a job that is gone, or that it, or its job, cannot be read. */
const IS_LOST = `
local function is_lost(id, job)
  local claim = not job and call('HGET', CLAIMS, id)
  return claim and has_run_out(tonumber(match(claim, CLAIM_END) or '0'))
end
`;

/** What `cancel`, `rerun` and `recover` have in common: one change, for each job whose status and time allow it. */
function changeScript(name: 'cancel' | 'rerun' | 'recover', change: string) {
  return defineScript<string[]>({
    name,
    args: ['time', 'announce', 'channels', 'maxCrashes'],
    lua: `${TRANSITION}${SILENCE}
local replies, ids = {}, {}
for at = FIRST, #ARGV, 2 do ids[#ids + 1] = ARGV[at + 1] end
local jobs = load(ids)
local latest = {}

local function change(id, job)
${change}
end
${name === 'recover' ? IS_LOST : ''}
for n = 1, #jobs do
  local id = ids[n]
  local queue = tonumber(ARGV[FIRST + (n - 1) * 2])
  local job = latest[id] or jobs[n]
  latest[id] = job
  if job and is_of(job.fixed, queue) then
    local before = { status = job.status, sequence = job.sequence, size = job.size }
    ${name === 'recover' ? "local held = (job.lease or '') .. ',' .. (job.worker or '')" : ''}
    if change(id, job) then
      touch(id, job)
      leave(id, before, queue)
      put(replies, write(id, job), ${name === 'recover' ? 'held' : "''"})
      enter(id, job, queue)
    else
      put(replies, ${name === 'recover' ? "'', ''" : "text_of(job), job.status == 'P' and claim_of(job) or ''"})
    end
  else
    put(replies, ${name === 'recover' ? "is_lost(id, job) and '-' or ''" : "''"}, '')
  end
end
save()
return replies`,
  });
}

/**
 * Cancels jobs that have not finished; a running one's claim is revoked.
 *
 * KEYS     as in `record.lua.ts`
 * time, announce, channels as in `transition.lua.ts`
 * …        for each job: queue (from 1), id
 * returns  for each: its record as it now stands and its claim, each '' where there is none. Fewer than were asked for where
 *          they are large: ask again for the rest
 */
export const cancelScript = changeScript(
  'cancel',
  `  local status = job.status
  if status ~= 'Q' and status ~= 'S' and status ~= 'P' then return false end
  job.status = 'X'
  revoke(id, job, status == 'P' and job.worker)
  job.completed = NOW
  return true`,
);

/** Queues failed and canceled jobs anew; as `cancelScript` otherwise. */
export const rerunScript = changeScript(
  'rerun',
  `  if job.status ~= 'F' and job.status ~= 'X' then return false end
  job.status, job.retries, job.crashes, job.due = 'Q', '0', '0', number(now - job.created)
  job.started, job.completed, job.progress, job.error = '', '', '', ''
  return true`,
);

/**
 * Takes back jobs whose lease has run out: queued again, or failed at their `maxCrashes`-th crash. As `cancelScript`
 * otherwise, but instead of a claim it returns the end of its lease, a comma and its worker; a job whose lease still runs (see `silence.lua.ts`), or that is not in progress, answers '', and '-' stands
 * for a claim that is to be forgotten: its job is gone, or cannot be read.
 */
export const recoverScript = changeScript(
  'recover',
  `  if job.status ~= 'P' then return false end
  local lease_until = tonumber(job.lease)
  if not has_run_out(lease_until) then return false end
  local is_crash = not ran_out_in_silence(lease_until)
  if is_crash then job.crashes = number(job.crashes + 1) end
  if is_crash and tonumber(job.crashes) >= tonumber(maxCrashes) then
    job.status, job.completed = 'F', NOW
    job.error = '${JSON.stringify(WORKER_CRASHED)}'
  else
    job.status, job.started, job.progress = 'Q', '', ''
  end
  revoke(id, job, job.worker)
  return true`,
);
