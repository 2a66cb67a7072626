import { defineScript } from './define-script.js';
import { OF_FIXED, OF_RECORD } from './layout.lua.js';
import { LISTED } from './listed.lua.js';
import { RECORD } from './record.lua.js';

/**
 * The sources of a list. Each is in the order of the list. Its function `next(most)` returns its next entries, and whether they are
 * the last ones. `is_current(entry, job)` and `is_stale(entry, text)` tell whether the job of an entry is still there. They set the time
 * of an entry in a list.
 */
const SOURCES = `
local NUMBERS = 4294967296
local sources = {}

-- Where a source begins among the jobs of the time \`at\`: 'z' is before all of them, '' is after all of them.
-- Texts are compared by the collation of the server's locale, so they have only lower-case letters, digits and hyphens.
local function rest_in(letter)
  local first = sub(rest, 1, 1)
  if first == letter then return sub(rest, 2) end
  return first > letter and 'z' or ''
end

local function add_source(next, is_current, is_stale)
  sources[#sources + 1] = { next = next, is_current = is_current, is_stale = is_stale, entries = {}, nth = 0, most = 1 }
end

local function add_listed(name, letter)
  local beginning = entry_of(kind, name, letter, '')
  local before, at_time, at_number = beginning .. place_of(at, rest_in('n'), ''), #beginning + 1, #beginning + 16
  add_source(function(most)
    local entries = call('ZRANGE', LISTED, '(' .. before, '[' .. beginning, 'BYLEX', 'REV', 'LIMIT', 0, most)
    before = entries[#entries] or beginning
    for n, text in ipairs(entries) do
      entries[n] = { text = text, id = sub(text, at_number + 8), rest = 'n' .. sub(text, at_number),
        at = tonumber(sub(text, at_time, at_number - 1)) }
    end
    return entries, #entries < most
  end, function(entry, job)
    for _, text in ipairs(job and entries_of(entry.id, job, true) or {}) do
      if text == entry.text then return true end
    end
    call('ZREM', LISTED, entry.text)
  end)
end

local function add_running(key)
  local passed, before = 0, rest_in('r')
  add_source(function(most)
    local found, entries = call('ZRANGE', key, at, '-inf', 'BYSCORE', 'REV', 'LIMIT', passed, most, 'WITHSCORES'), {}
    passed = passed + #found / 2
    for n = 1, #found, 2 do
      local id, started = found[n], tonumber(found[n + 1])
      if started < at or id < before then entries[#entries + 1] = { id = id, rest = 'r' .. id, at = started } end
    end
    return entries, #found < 2 * most
  end, function(entry, job) return job and job.status == 'P' and tonumber(job.started) == entry.at end)
end

-- The members of a list are in the order of their numbers, which begin again after the largest.
local function add_list(letter, key, before, following, is_current, is_stale)
  local function is_older(index)
    local age = following - tonumber(sub(call('LINDEX', key, index), 1, 8), 16)
    return age % NUMBERS > (following - before) % NUMBERS
  end
  local till = call('LLEN', key)
  if till > 0 and not is_older(till - 1) then
    local from = 0
    while from < till do
      local middle = math.floor((from + till) / 2)
      if is_older(middle) then from = middle + 1 else till = middle end
    end
  end
  add_source(function(most)
    local from, entries = math.max(till - most, 0), {}
    local members = till > 0 and call('LRANGE', key, from, till - 1) or {}
    for n = #members, 1, -1 do
      entries[#entries + 1] = { id = sub(members[n], 9), rest = letter .. members[n], number = sub(members[n], 1, 8) }
    end
    till = from
    return entries, till == 0
  end, is_current, is_stale)
end

-- There may be many stale entries in a line, so they are recognised without parsing.
local function has_left_line(entry, text)
  local sequence, created = match(text or '', ${OF_RECORD.created})
  if sequence == entry.number then entry.at = tonumber(created) end
  return not text or sequence and not waits(entry.number, text, IN_LINE)
end
`;

/**
 * Lists jobs of some names of one partition, newest first, from before a place. It merges its sources, and reads of each only the
 * records that it returns, one more, and those of stale entries.
 *
 * The place of a job is the time when it came into its status and, for equal times, the letter of its source (n: \`listed\`,
 * l: \`line\`, r: \`running\`, c: \`completed\`) and the end of its entry. In a list it is also a number.
 *
 * KEYS     as in `record.lua.ts`; then `earlierCompleted`
 * time     the clock in ms, or '' for the clock of Redis
 * limit    the most jobs
 * at, rest the time and the text of the place
 * line, completed the numbers of the place, or '' to begin at the newest job
 * statuses the letters of the statuses
 * kind     the kind of the entries in `listed`
 * returns  1 when it has read enough and there may be more, else 0; then for each job its time and text, its record without the
 *          payload, and its claim or ''. The record is '' for a place before which there are no further jobs. It is '?', and the
 *          text is the id, when it cannot be read
 */
export const listScript = defineScript<[isFull: number, ...jobs: string[]]>({
  name: 'list',
  args: ['time', 'limit', 'at', 'rest', 'line', 'completed', 'statuses', 'kind'],
  lua: `${RECORD}${LISTED}
at, limit, line, completed = tonumber(at), tonumber(limit), tonumber(line), tonumber(completed)
${SOURCES}
local AT_ONCE, MOST_LOOKED_AT = 100, 10000
local counted, names = call('HMGET', COUNTERS, 'seq', 'completed'), {}
local next_line, next_completed = (counted[1] or 0) + 1, (counted[2] or 0) + 1
line, completed = line or next_line, completed or next_completed
local replies, looked, listed = { 0 }, 0, 0

local function reply(job_at, job_rest, text, claim)
  local n = #replies
  replies[n + 1], replies[n + 2], replies[n + 3], replies[n + 4] = job_at, job_rest, text, claim
end

local function is_queued(_, job) return job.status == 'Q' end

local function is_completed(entry, job)
  if not job or job.status ~= 'C' then return false end
  entry.at = tonumber(listed_at(job))
  return names[match(job.fixed, ${OF_FIXED.name})]
end

-- Whether the entry is current. Then it gets its record.
local function look(source, entry)
  local text = call('HGET', JOBS, entry.id)
  looked = looked + 1
  bytes_read = bytes_read + #(text or '')
  if source.is_stale and source.is_stale(entry, text) then return false end
  local claim = text and claim_for(entry.id, text)
  local job = text and parse(text, claim)
  if text and not job then return reply('', entry.id, '?', '') end
  if not source.is_current(entry, job) then return false end
  entry.record, entry.claim = sub(text, 1, #text - #job.payload), claim or ''
  return true
end

-- Sets the next job of a source. After many stale entries, it sets the place of the last one, without a record.
local function advance(source)
  local seen, passed = 0, nil
  source.head = nil
  repeat
    source.nth = source.nth + 1
    if source.nth > #source.entries then
      if source.is_last then return end
      source.entries, source.is_last = source.next(source.most)
      source.nth, source.most = 0, AT_ONCE
    else
      local entry = source.entries[source.nth]
      seen = seen + 1
      if look(source, entry) then source.head = entry return end
      if entry.at then passed = entry end
    end
  until seen > 0 and (looked >= MOST_LOOKED_AT or bytes_read >= MOST_BYTES)
  source.head = passed
end

for queue = 1, (#KEYS - SHARED - 1) / OF_QUEUE do
  local name = name_of(queue)
  names[name] = true
  for letter in string.gmatch(statuses, '.') do
    add_listed(name, letter)
    local source = kind == 'n' and letter
    if source == 'P' then add_running(queue_key(queue, RUNNING)) end
    if source == 'Q' then add_list('l', queue_key(queue, LINE), line, next_line, is_queued, has_left_line) end
    if source == 'C' then add_list('c', queue_key(queue, COMPLETED), completed, next_completed, is_completed) end
  end
end
if kind == 'n' and find(statuses, 'C') then add_list('c', KEYS[#KEYS], completed, next_completed, is_completed) end
for _, source in ipairs(sources) do advance(source) end
bytes_read = 0

while listed < limit do
  local newest, head
  for _, source in ipairs(sources) do
    local other = source.head
    if other and (not head or other.at > head.at or other.at == head.at and other.rest > head.rest) then
      newest, head = source, other
    end
  end
  if not newest then break end
  reply(number(head.at), head.rest, head.record or '', head.claim or '')
  listed = listed + 1
  if not head.record or bytes_read >= MOST_BYTES then
    replies[1] = 1
    break
  end
  advance(newest)
end
return replies`,
});
