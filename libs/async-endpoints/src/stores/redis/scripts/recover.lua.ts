import { WORKER_CRASHED, WORKER_VANISHED } from '../../../job/attempts.js';
import { defineChange } from './change.lua.js';
import { SILENCE } from './silence.lua.js';

/** Whether the job of an expired claim does not exist, or the claim or the job cannot be read. */
const IS_LOST = `
local function is_lost(id, job)
  local claim = not job and call('HGET', CLAIMS, id)
  return claim and has_run_out(tonumber(match(claim, CLAIM_END) or '0'))
end
`;

/**
 * Recovers jobs whose lease has expired: queues them again, or fails them at their `maxCrashes`-th crash.
 *
 * returns  instead of a claim: the end of its lease, a comma and its worker; '' for a job with a valid lease (see
 *          `silence.lua.ts`) or one that is not in progress; '-' for a claim to delete, because its job does not exist or cannot
 *          be read
 */
export const recoverScript = defineChange('recover', {
  args: ['maxCrashes'],
  uses: SILENCE + IS_LOST,
  change: `  if job.status ~= 'P' then return false end
  local lease_until = tonumber(job.lease)
  if not has_run_out(lease_until) then return false end
  local is_crash = not ran_out_in_silence(lease_until)
  if is_crash then
    keep_attempt(job, 'crash', '${JSON.stringify(WORKER_VANISHED)}')
    job.crashes = number(job.crashes + 1)
  end
  if is_crash and tonumber(job.crashes) >= tonumber(maxCrashes) then
    job.status, job.completed = 'F', NOW
    job.error = '${JSON.stringify(WORKER_CRASHED)}'
  else
    job.status, job.started, job.progress = 'Q', '', ''
  end
  revoke(id, job, job.worker)
  return true`,
  before: "(job.lease or '') .. ',' .. (job.worker or '')",
  unchanged: "'', ''",
  missing: "is_lost(id, job) and '-' or ''",
});
