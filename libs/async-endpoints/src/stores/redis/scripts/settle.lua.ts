import { defineScript } from './define-script.js';
import { OF_CLAIM, OF_RECORD } from './layout.lua.js';
import { TRANSITION } from './transition.lua.js';

/**
 * Settles claims when the fence is that of the latest claim.
 *
 * KEYS     as in `record.lua.ts`
 * time, announce, channels as in `transition.lua.ts`
 * …        settlements in groups that are alike: `count,queue,verb,delayMs` (queue from 1; delayMs may be empty); then for each
 *          settlement the id of the job, the fence, and the result as JSON or '', or the error as JSON and, after a line break,
 *          the part of it that is kept with the attempt
 * returns  for each: 1 when the settlement is accepted (now or before), else 0. Fewer than requested when the records are large:
 *          ask again for the rest
 *
 * A stale fence writes nothing.
 */
export const settleScript = defineScript<number[]>({
  name: 'settle',
  args: ['time', 'announce', 'channels'],
  lua: `${TRANSITION}
local STRIDE = 3
local replies, ids, groups = {}, {}, {}

local at = FIRST
while at <= #ARGV do
  local count_here, queue, verb, delay = match(ARGV[at], '^(%d+),(%d+),(%a+),(%d*)$')
  groups[#groups + 1] = { at = at + 1, count = tonumber(count_here), queue = tonumber(queue), verb = verb, delay = delay }
  for n = 1, count_here do ids[#ids + 1] = ARGV[at + 1 + (n - 1) * STRIDE] end
  at = at + 1 + count_here * STRIDE
end
local texts, held = read_some(ids), read(CLAIMS, ids)
local ended = {}

-- The retention of a completed job with these fixed lines; false when it has another name.
local kept_of, has_owner = {}, {}
local function kept_if_of(fixed, queue)
  local known = kept_of[queue]
  if not known then known = {}; kept_of[queue] = known end
  local kept = known[fixed]
  if kept == nil then
    kept = byte(fixed, -1) == 10 and is_of(fixed, queue) and tonumber(kept_for('C', fixed))
    known[fixed] = kept
    has_owner[fixed] = not find(fixed, '^[^\\n]*\\n\\n')
  end
  return kept
end

local completed_of = {}

-- Lists a job with an owner or an error, or in \`finished\`, as completed.
local function relist(id, text, claim, is_named)
  local job = parse(text, claim)
  if not job then return end
  unlist(id, job)
  job.status, job.updated, job.error = 'C', NOW, ''
  list(id, job, is_named)
end

-- The fast path of nearly all settlements, without parsing the whole record.
local function complete(id, queue, text, claim, fence, result)
  local version, started = match(claim, ${OF_CLAIM.versionAndStart})
  local letter, length, stable_end, fixed_at = match(text, ${OF_RECORD.ends})
  if not fixed_at or not started then return nil end
  local fixed = sub(text, fixed_at, fixed_at + tonumber(length, 16) - 1)
  local kept = kept_if_of(fixed, queue)
  if not kept then return nil end
  local more = find(claim, '\\n', 1, true)
  version = next_of[version]
  unclaimed[#unclaimed + 1] = id
  remove(queue_key(queue, RUNNING), id)
  local is_named = enter_completed(id, queue, now + kept)
  if is_named or letter ~= 'Q' or has_owner[fixed] then relist(id, text, claim, is_named) end -- a new job (Q) has no error
  completed_of[queue] = (completed_of[queue] or 0) + 1
  local completed_text = '1C' .. sub(text, 3, stable_end) .. fence .. ',' .. version .. ',' .. NOW .. ',' .. started ..
    ',' .. NOW .. '\\n' .. fixed .. (more and sub(claim, more + 1) or '') .. '\\n\\n' .. result .. '\\n'
  put(writes, id, completed_text)
  if is_watched then announce_change(id, 'C', version, completed_text) end
  return completed_text
end

local apply = {
  retry = function(job, delay, failure, kept)
    keep_attempt(job, 'retry', kept)
    job.status, job.retries = 'S', number(job.retries + 1)
    job.due, job.progress, job.error = number(now + delay - job.created), '', failure
  end,
  fail = function(job, _, failure, kept)
    keep_attempt(job, 'fail', kept)
    job.status, job.completed, job.error = 'F', NOW, failure
  end,
  release = function(job)
    job.status, job.started, job.progress = 'Q', '', ''
  end,
}

local function settle(id, group, text, claim, fence, value)
  if group.verb == 'complete' then return complete(id, group.queue, text, claim, fence, value) end
  local job = parse(text, claim)
  if not job or not is_of(job.fixed, group.queue) then return nil end
  leave(id, job, group.queue)
  apply[group.verb](job, group.delay, match(value, '^([^\\n]*)\\n?(.*)$'))
  touch(id, job)
  local settled = write(id, job)
  enter(id, job, group.queue)
  return settled
end

-- Whether this claim has already been settled: no other worker has claimed the job since.
local function was_ended(text, queue, fence)
  local job = text and parse(text)
  return job and job.fence == fence and is_of(job.fixed, queue)
end

local n, known = 0, #texts
for _, group in ipairs(groups) do
  for place = group.at, group.at + (group.count - 1) * STRIDE, STRIDE do
    n = n + 1
    if n > known then break end
    local id, fence, text = ids[n], ARGV[place + 1], texts[n]
    local claim = held[n]
    if ended[id] then text, claim = ended[id], nil end
    if claim and text and has_fence(claim, fence) then
      local settled = settle(id, group, text, claim, fence, ARGV[place + 2])
      ended[id] = settled
      replies[n] = settled and 1 or 0
    else
      replies[n] = not claim and was_ended(text, group.queue, fence) and 1 or 0
    end
  end
end
for queue, by in pairs(completed_of) do
  count('P:' .. name_of(queue), -by)
  count('C:' .. name_of(queue), by)
end
save()
return replies`,
});
