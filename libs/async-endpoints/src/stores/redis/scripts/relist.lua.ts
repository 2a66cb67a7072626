import { defineScript } from './define-script.js';
import { LISTED } from './listed.lua.js';
import { RECORD } from './record.lua.js';

/**
 * Compares some jobs and some entries of `listed`: adds missing entries, and removes those of no job. Needed after processes of a
 * release that does not maintain `listed`, and when jobs were deleted by hand.
 *
 * KEYS     as in `record.lua.ts`, no names
 * time     the clock in ms, or '' for the clock of Redis
 * cursor   of the jobs, '0' to begin
 * entry    the entry of `listed` before the first one to read, '' to begin
 * returns  the next cursor, '0' at the end; the next entry, '' at the end; the number of changes
 */
export const relistScript = defineScript<[cursor: string, entry: string, changes: number]>({
  name: 'relist',
  args: ['time', 'cursor', 'entry'],
  lua: `${RECORD}${LISTED}
local JOBS_AT_ONCE, ENTRIES_AT_ONCE = 250, 500
local changes = 0

local function all_entries_of(id, text)
  local job = parse(text, call('HGET', CLAIMS, id))
  if not job then return nil end
  local is_in_list = match(text, IN_LINE) or job.status == 'C' and not call('ZRANK', FINISHED, id)
  return entries_of(id, job, not is_in_list)
end

-- An entry stays while its job cannot be read.
local function is_current(listed)
  local text = call('HGET', JOBS, sub(listed, -36))
  bytes_read = bytes_read + #(text or '')
  local entries = text and all_entries_of(sub(listed, -36), text)
  for _, one in ipairs(entries or {}) do
    if one == listed then return true end
  end
  return text and not entries
end

go_on_when_full()
local next_cursor, found = unpack(call('HSCAN', JOBS, cursor, 'COUNT', math.min(JOBS_AT_ONCE, step())))
for n = 1, #found, 2 do
  for _, missing in ipairs(all_entries_of(found[n], found[n + 1]) or {}) do
    changes = changes + call('ZADD', LISTED, 0, missing)
  end
end
local entries = call('ZRANGE', LISTED, entry == '' and '-' or '(' .. entry, '+', 'BYLEX', 'LIMIT', 0, ENTRIES_AT_ONCE)
local next_entry = ''
for n, listed in ipairs(entries) do
  if bytes_read >= MOST_BYTES then break end
  if not is_current(listed) then changes = changes + call('ZREM', LISTED, listed) end
  next_entry = (n < #entries or n == ENTRIES_AT_ONCE) and listed or ''
end
return { next_cursor, next_entry, changes }`,
});
