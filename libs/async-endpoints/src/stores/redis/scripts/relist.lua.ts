import { defineScript } from './define-script.js';
import { LISTED } from './listed.lua.js';
import { RECORD } from './record.lua.js';

/**
 * Compares jobs with `listed`, some in each step: first it adds the missing entries of all jobs, then it removes the entries of no job.
 * Needed after processes of a release that does not maintain `listed`, and when jobs were deleted by hand.
 *
 * KEYS     as in `record.lua.ts`, no names
 * time     the clock in ms, or '' for the clock of Redis
 * cursor   '0' to begin
 * returns  the next cursor, '' at the end; the number of changes
 */
export const relistScript = defineScript<[cursor: string, changes: number]>({
  name: 'relist',
  args: ['time', 'cursor'],
  lua: `${RECORD}${LISTED}
local JOBS_AT_ONCE, ENTRIES_AT_ONCE, FIRST_ENTRY = 250, 500, 'a'
local changes = 0

local function all_entries_of(id, text)
  local job = parse(text, claim_for(id, text))
  if not job then return nil end
  local is_in_list = match(text, IN_LINE) or job.status == 'C' and not call('ZRANK', FINISHED, id)
  return entries_of(id, job, not is_in_list)
end

-- An entry stays while its job cannot be read.
local function is_current(entry)
  local id = sub(entry, -36)
  local text = call('HGET', JOBS, id)
  bytes_read = bytes_read + #(text or '')
  local entries = text and all_entries_of(id, text)
  for _, one in ipairs(entries or {}) do
    if one == entry then return true end
  end
  return text and not entries
end

local function add_missing()
  local next_cursor, found = unpack(call('HSCAN', JOBS, cursor, 'COUNT', math.min(JOBS_AT_ONCE, step())))
  for n = 1, #found, 2 do
    for _, entry in ipairs(all_entries_of(found[n], found[n + 1]) or {}) do
      changes = changes + call('ZADD', LISTED, 0, entry)
    end
  end
  return next_cursor == '0' and FIRST_ENTRY or next_cursor
end

local function remove_stale()
  local entries = call('ZRANGE', LISTED, '(' .. cursor, '+', 'BYLEX', 'LIMIT', 0, ENTRIES_AT_ONCE)
  for n, entry in ipairs(entries) do
    if not is_current(entry) then changes = changes + call('ZREM', LISTED, entry) end
    if bytes_read >= MOST_BYTES or n == ENTRIES_AT_ONCE then return entry end
  end
  return ''
end

go_on_when_full()
return { find(cursor, '^%d') and add_missing() or remove_stale(), changes }`,
});
