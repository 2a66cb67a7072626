import { defineChange } from './change.lua.js';

/**
 * Queues failed and canceled jobs again.
 *
 * runningForMs '' for those; otherwise takes jobs in progress that were claimed at least so long ago, and revokes their claims
 */
export const rerunScript = defineChange('rerun', {
  args: ['runningForMs'],
  change: `  local status = job.status
  if runningForMs == '' then
    if status ~= 'F' and status ~= 'X' then return false end
  elseif status ~= 'P' or now - job.started < tonumber(runningForMs) then
    return false
  end
  job.status, job.retries, job.crashes, job.due = 'Q', '0', '0', number(now - job.created)
  job.started, job.completed, job.progress, job.error = '', '', '', ''
  if status == 'P' then revoke(id, job, job.worker) end
  return true`,
});
