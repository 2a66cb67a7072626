import { defineChange } from './change.lua.js';

/** Cancels jobs that are not terminal. Revokes the claim of a job in progress. */
export const cancelScript = defineChange('cancel', {
  change: `  local status = job.status
  if status ~= 'Q' and status ~= 'S' and status ~= 'P' then return false end
  job.status = 'X'
  revoke(id, job, status == 'P' and job.worker)
  job.completed = NOW
  return true`,
});
