import { defineScript } from '../define-script.js';
import { TRANSITION } from './transition.lua.js';

/** What `cancel`, `rerun` and `recover` have in common: one change, for each job whose status and time allow it. */
function changeScript(name: 'cancel' | 'rerun' | 'recover', change: string) {
  return defineScript<(string | null)[]>({
    name,
    args: ['time', 'maxCrashes'],
    lua: `${TRANSITION}
local replies, ids = {}, {}
for at = FIRST, #ARGV, 2 do ids[#ids + 1] = ARGV[at + 1] end
local jobs = load(ids)
local latest = {}

local function change(id, job)
${change}
end

for n, id in ipairs(ids) do
  local queue = tonumber(ARGV[FIRST + (n - 1) * 2])
  local job = latest[id] or jobs[n]
  latest[id] = job
  if job and is_of(job, queue) then
    local before = { unpack(job) }
    if change(id, job) then
      job[WORKER], job[LEASEUNTIL] = '', ''
      touch(id, job)
      leave(id, before, queue)
      enter(id, job, queue)
      write(id, job)
      replies[n] = table.concat(job, '\\n')
    else
      replies[n] = ${name === 'recover' ? 'false' : "table.concat(job, '\\n')"}
    end
  else
    replies[n] = false
  end
end
save()
return replies`,
  });
}

/**
 * Cancels jobs that have not finished; a running one's claim is revoked.
 *
 * KEYS     as in `transition.lua.ts`
 * time     the clock in ms, or '' for Redis's own
 * …        for each job: queue (from 1), id
 * returns  for each: its record as it now stands, or nil
 */
export const cancelScript = changeScript(
  'cancel',
  `  local status, worker = job[STATUS], job[WORKER]
  if status ~= 'Q' and status ~= 'S' and status ~= 'P' then return false end
  job[STATUS], job[COMPLETEDAT] = 'X', number(now)
  if status == 'P' then revoke(id, job, worker) else job[FENCE] = number(job[FENCE] + 1) end
  return true`,
);

/** Queues failed and canceled jobs anew; as `cancelScript` otherwise. */
export const rerunScript = changeScript(
  'rerun',
  `  if job[STATUS] ~= 'F' and job[STATUS] ~= 'X' then return false end
  job[STATUS], job[RETRYCOUNT], job[CRASHES], job[DUEAT] = 'Q', '0', '0', number(now)
  job[STARTEDAT], job[COMPLETEDAT], job[PROGRESS], job[ERROR] = '', '', '', ''
  return true`,
);

/**
 * Takes back jobs whose lease has run out: queued again, or failed at their `maxCrashes`-th crash. As `cancelScript`
 * otherwise, but a job whose lease still runs, or that is not in progress, answers nil.
 */
export const recoverScript = changeScript(
  'recover',
  `  if job[STATUS] ~= 'P' or tonumber(job[LEASEUNTIL]) > now then return false end
  local worker = job[WORKER]
  job[CRASHES] = number(job[CRASHES] + 1)
  if tonumber(job[CRASHES]) >= tonumber(maxCrashes) then
    job[STATUS], job[COMPLETEDAT] = 'F', number(now)
    job[ERROR] = '{"code":"WORKER_CRASHED","message":"The worker that ran this job vanished, as often as is allowed."}'
  else
    job[STATUS], job[STARTEDAT], job[PROGRESS] = 'Q', '', ''
  end
  revoke(id, job, worker)
  return true`,
);
