import { OF_FIXED } from './layout.lua.js';

/**
 * The entries of a job in the sorted set `listed`, which has a score of 0 for all of them. Include it after `RECORD`.
 *
 * An entry is the kind, the value and a line break, and then the **place** of the job: when it came into its status (15 digits,
 * ms), the number of its submission, and its id. So the entries of one value are in the order of the list.
 *
 * n  name, a line break and the letter of the status: of each job that no other index lists newest first. These are the waiting
 *    jobs in \`ready\` and \`scheduled\`, and the jobs in \`finished\`
 * o  owner, of each job that has one
 * e  error code, of each job that has an error
 */
export const LISTED = `
local OWNER, CODE = ${OF_FIXED.owner}, '^{"code":(".-"),"message":'

local function place_of(at, sequence, id) return format('%015.0f', at) .. sequence .. id end

local function named_entry(name, status, place) return 'n' .. name .. '\\n' .. status .. '\\n' .. place end

local function listed_at(job)
  if job.status == 'P' then return job.started end
  return job.updated == '' and job.created or job.updated
end

local function entries_of(id, job, is_named)
  local place = place_of(listed_at(job), job.sequence, id)
  local name, owner = match(job.fixed, OWNER)
  local code, entries = match(job.error, CODE), {}
  if is_named and job.status ~= 'P' then entries[1] = named_entry(name, job.status, place) end
  if owner ~= '' then entries[#entries + 1] = 'o' .. owner .. '\\n' .. place end
  if code then entries[#entries + 1] = 'e' .. code .. '\\n' .. place end
  return entries
end
`;
