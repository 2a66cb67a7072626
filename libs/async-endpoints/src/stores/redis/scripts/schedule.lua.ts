import { defineScript } from './define-script.js';
import { OF_RECORD } from './layout.lua.js';
import { SUBMIT } from './submit.lua.js';
import { TRANSITION } from './transition.lua.js';

/**
 * The beginning of every script that changes schedules. Include it after `TRANSITION`. The last two keys are `schedules` and
 * `instants`.
 *
 * The first line of a schedule contains, separated by commas: version, next instant, the time from which instants count, last
 * instant, id of the last job, and time of the pause. All but the version and the third may be empty. Then follow, each as a line
 * of JSON: who paused it, job, timing, definition.
 */
const SCHEDULE = `${TRANSITION}
local SCHEDULES, INSTANTS = KEYS[#KEYS - 1], KEYS[#KEYS]
local LINES = '^(%d+),(%d*),(%d+),(%d*),([^,]*),(%d*)\\n([^\\n]*)\\n([^\\n]*)\\n([^\\n]*)\\n(.*)$'
local has_changed = false

local function schedule_of(text)
  local schedule = { text = text }
  schedule.version, schedule.next, schedule.from, schedule.last, schedule.last_id, schedule.paused, schedule.by, schedule.job,
    schedule.timing, schedule.definition = match(text or '', LINES)
  return schedule.version and schedule
end

local function read_schedule(name) return schedule_of(call('HGET', SCHEDULES, name)) end

-- Stores a schedule with the next version. Returns its text.
local function keep_schedule(name, schedule)
  schedule.version = number(schedule.version + 1)
  local first = schedule.version .. ',' .. schedule.next .. ',' .. schedule.from .. ',' .. schedule.last .. ',' ..
    schedule.last_id .. ',' .. schedule.paused
  schedule.text = table.concat({ first, schedule.by, schedule.job, schedule.timing, schedule.definition }, '\\n')
  call('HSET', SCHEDULES, name, schedule.text)
  if schedule.paused == '' and schedule.next ~= '' then call('ZADD', INSTANTS, schedule.next, name)
  else call('ZREM', INSTANTS, name) end
  has_changed = true
  return schedule.text
end

local function announce_schedules()
  local text = '"async-endpoints:schedules" 00000000-0000-0000-0000-000000000000 Q 0'
  if has_changed then call('PUBLISH', REVOCATIONS, seal(text) .. '\\n' .. text) end
end
`;

/**
 * Adds or replaces schedules.
 *
 * KEYS     as in `record.lua.ts`; then `schedules` and `instants`
 * time, announce, channels as in `transition.lua.ts`
 * …        for each schedule: name, next instant or '', and as JSON: job, timing, definition
 * returns  each stored schedule
 */
export const declareSchedulesScript = defineScript<string[]>({
  name: 'declareSchedules',
  args: ['time', 'announce', 'channels'],
  lua: `${SCHEDULE}
local replies = {}
for at = FIRST, #ARGV, 5 do
  local name, next_at, job, timing, definition = unpack(ARGV, at, at + 4)
  local known = read_schedule(name)
  local schedule = known or { version = 0, next = next_at, from = NOW, last = '', last_id = '', paused = '', by = 'null', timing = timing }
  if not known or known.job ~= job or known.timing ~= timing or known.definition ~= definition then
    if schedule.timing ~= timing then schedule.timing, schedule.next, schedule.from = timing, next_at, NOW end
    schedule.job, schedule.definition = job, definition
    keep_schedule(name, schedule)
  end
  replies[#replies + 1] = schedule.text
end
announce_schedules()
return replies`,
});

/**
 * Pauses, resumes or removes schedules.
 *
 * KEYS, time, announce, channels as in `declareSchedulesScript`
 * what     'pause', 'resume' or 'remove'
 * by       who pauses them, as JSON
 * …        names
 * returns  each stored schedule, or '' for an unknown one; a removed schedule as it was before
 */
export const changeSchedulesScript = defineScript<string[]>({
  name: 'changeSchedules',
  args: ['time', 'announce', 'channels', 'what', 'by'],
  lua: `${SCHEDULE}
local replies = {}
go_on_when_full()
for at = FIRST, #ARGV do
  local name = ARGV[at]
  local schedule = read_schedule(name)
  if schedule and what == 'remove' then
    call('HDEL', SCHEDULES, name)
    call('ZREM', INSTANTS, name)
    has_changed = true
  elseif schedule and what == 'pause' and schedule.paused == '' then
    schedule.paused, schedule.by = NOW, by
    keep_schedule(name, schedule)
  elseif schedule and what == 'resume' and schedule.paused ~= '' then
    schedule.paused, schedule.by, schedule.from = '', 'null', NOW
    keep_schedule(name, schedule)
  end
  replies[#replies + 1] = schedule and schedule.text or ''
end
announce_schedules()
return replies`,
});

/**
 * The schedules of some jobs with the earliest next instants. Reads at most 10,000 schedules.
 *
 * KEYS, time, announce, channels as in `declareSchedulesScript`
 * limit    the most schedules
 * …        names of jobs, as JSON
 * returns  the time; then for each schedule its name and text
 */
export const nextSchedulesScript = defineScript<[now: string, ...schedules: string[]]>({
  name: 'nextSchedules',
  args: ['time', 'announce', 'channels', 'limit'],
  lua: `${SCHEDULE}
local wanted, replies = {}, { NOW }
for at = FIRST, #ARGV do wanted[ARGV[at]] = true end
for first = 0, 9900, 100 do
  local names = call('ZRANGE', INSTANTS, first, first + 99)
  if #names == 0 then break end
  for n, text in ipairs(call('HMGET', SCHEDULES, unpack(names))) do
    local schedule = text and schedule_of(text)
    if schedule and wanted[schedule.job] then put(replies, names[n], text) end
    if #replies > 2 * limit then return replies end
  end
end
return replies`,
});

/**
 * Advances schedules and inserts their jobs in the same step.
 *
 * KEYS     as in `submitScript` for jobs without keys; then `schedules` and `instants`
 * time … jobs as in `submitScript`
 * firings  the number of firings
 * …        for each firing: name, version, next instant or '', instant, id of its job or '', overlap; then for each firing with a
 *          job: the job, in a group of its own as in `submitScript`
 * returns  the time; then the outcome of each: 'fired', 'known' for a job that already existed, or another outcome of `Fired`
 */
export const fireScript = defineScript<[now: string, ...outcomes: string[]]>({
  name: 'fire',
  args: ['time', 'announce', 'channels', 'limit', 'mostBytes', 'queues', 'jobs', 'firings'],
  lua: `${SCHEDULE}
local function is_unfinished(id)
  if id == '' then return false end
  return call('HEXISTS', CLAIMS, id) == 1 or find(call('HGET', JOBS, id) or '', ${OF_RECORD.isWaiting}) ~= nil
end

local OF_FIRING = 6
local outcomes, schedules, accepted, given, taken = {}, {}, {}, ARGV, {}
local job_at = FIRST + firings * OF_FIRING
local ARGV = { unpack(given, 1, FIRST - 1) }
for n = 1, tonumber(firings) do
  local name, version, _, _, id, overlap = unpack(given, FIRST + (n - 1) * OF_FIRING, FIRST + n * OF_FIRING - 1)
  local schedule = not taken[name] and read_schedule(name)
  if not schedule or schedule.version ~= version or schedule.paused ~= '' then
    outcomes[n] = 'lost'
  elseif id == '' then
    outcomes[n] = 'moved'
  elseif overlap ~= 'allow' and is_unfinished(schedule.last_id) then
    outcomes[n] = overlap == 'queue' and 'unfinished' or 'skipped'
  else
    accepted[#accepted + 1] = n
    for place = job_at, job_at + 2 do ARGV[#ARGV + 1] = given[place] end
  end
  if outcomes[n] ~= 'lost' then taken[name], schedules[n] = true, schedule end
  if id ~= '' then job_at = job_at + 3 end
end
local jobs = #accepted
${SUBMIT}
local others = {}
for place = 3, #replies, 2 do others[replies[place]] = replies[place + 1] end
for place, n in ipairs(accepted) do
  local other = others[place]
  if place > replies[2] then outcomes[n] = 'lost' -- the records of known jobs are large: try again
  elseif type(other) == 'string' and find(other, '^refused') then outcomes[n] = 'refused'
  else outcomes[n] = other and 'known' or 'fired' end
end
for n, outcome in ipairs(outcomes) do
  local name, _, next_at, instant, id = unpack(given, FIRST + (n - 1) * OF_FIRING, FIRST + n * OF_FIRING - 1)
  local schedule = schedules[n]
  if outcome == 'fired' or outcome == 'known' then schedule.last, schedule.last_id = instant, id end
  if outcome == 'fired' or outcome == 'known' or outcome == 'skipped' or outcome == 'moved' then
    schedule.next = next_at
    keep_schedule(name, schedule)
  end
end
return { NOW, unpack(outcomes) }`,
});
