import { OF_FIXED, OF_RECORD } from './layout.lua.js';

/**
 * The entries of a job in the sorted set `listed`, which has a score of 0 for all of them. Include it after `RECORD`.
 *
 * An entry has four lines: a kind, the name of the job, the letter of its status, and its **place**: when it came into the status (15
 * digits, ms), the number of its submission, and its id. So the entries of one kind, name and status are in the order of a list.
 *
 * n        of each job that no other index has in that order: a waiting job in `ready` or `scheduled`, and a job in `finished`
 * o, owner of each job with an owner
 * e, code  of each job with an error
 */
export const LISTED = `
local OWNER, CODE = ${OF_FIXED.owner}, '^{"code":(".-"),"message":'

local function place_of(at, sequence, id) return format('%015.0f', at) .. sequence .. id end

local function entry_of(kind, name, status, place) return kind .. '\\n' .. name .. '\\n' .. status .. '\\n' .. place end

-- A terminal job has no claim.
local function claim_for(id, text) return find(text, ${OF_RECORD.isWaiting}) and call('HGET', CLAIMS, id) end

local function listed_at(job)
  if job.status == 'P' then return job.started end
  return job.updated == '' and job.created or job.updated
end

local function entries_of(id, job, is_named)
  local place = place_of(listed_at(job), job.sequence, id)
  local name, owner = match(job.fixed, OWNER)
  local code, entries = match(job.error, CODE), {}
  if is_named and job.status ~= 'P' then entries[1] = entry_of('n', name, job.status, place) end
  if owner ~= '' then entries[#entries + 1] = entry_of('o' .. owner, name, job.status, place) end
  if code then entries[#entries + 1] = entry_of('e' .. code, name, job.status, place) end
  return entries
end
`;
