import { defineScript } from './define-script.js';
import { RECORD } from './record.lua.js';

/**
 * The ages of waiting and running jobs, without reading all records.
 *
 * KEYS     as in `record.lua.ts`
 * time     the clock in ms, or '' for the clock of Redis
 * returns  the time; then for each name: the earliest `scheduledAt` of its waiting jobs, and the earliest start of its running
 *          jobs, in ms, or '' when there are none
 */
export const agesScript = defineScript<string[]>({
  name: 'ages',
  args: ['time'],
  lua: `${RECORD}
local replies = { NOW }

-- The jobs of one priority are ordered by scheduledAt, so this takes one step for each priority in use.
local function earliest_ready(key, earliest)
  local from = '-inf'
  while true do
    local first = call('ZRANGEBYSCORE', key, from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if #first == 0 then return earliest end
    local score = tonumber(first[2])
    local step = math.floor(score / PRIORITY_STEP)
    local due = score - step * PRIORITY_STEP
    if not earliest or due < earliest then earliest = due end
    from = number((step + 1) * PRIORITY_STEP)
  end
end

for queue = 1, (#KEYS - SHARED) / OF_QUEUE do
  local first = first_in_line(queue)
  local earliest = earliest_ready(queue_key(queue, READY), first and scheduled_at(first))
  local scheduled = call('ZRANGE', queue_key(queue, SCHEDULED), 0, 0, 'WITHSCORES')[2]
  if scheduled and (not earliest or tonumber(scheduled) < earliest) then earliest = tonumber(scheduled) end
  replies[#replies + 1] = earliest and number(earliest) or ''
  replies[#replies + 1] = call('ZRANGE', queue_key(queue, RUNNING), 0, 0, 'WITHSCORES')[2] or ''
end
return replies`,
});

/**
 * The time until a job is claimable.
 *
 * KEYS     as in `record.lua.ts`
 * time     the clock in ms, or '' for the clock of Redis
 * returns  ms until the first scheduled job is claimable, 0 when a job is claimable now, -1 when no job waits; paused names do
 *          not count
 */
export const dueScript = defineScript<number>({
  name: 'due',
  args: ['time'],
  lua: `${RECORD}
local earliest, queues = -1, (#KEYS - SHARED) / OF_QUEUE
local paused = paused_up_to(queues)

local function due_in(queue)
  if first_in_line(queue) or call('EXISTS', queue_key(queue, LINE), queue_key(queue, READY)) > 0 then return 0 end
  local scheduled = call('ZRANGE', queue_key(queue, SCHEDULED), 0, 0, 'WITHSCORES')[2]
  return scheduled and math.max(scheduled - now, 0)
end

for queue = 1, queues do
  local wait = not paused[queue] and due_in(queue)
  if wait and (earliest < 0 or wait < earliest) then earliest = wait end
end
return earliest`,
});
