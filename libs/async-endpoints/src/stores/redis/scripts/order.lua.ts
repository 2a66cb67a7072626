/**
 * The order of claims within a name, for the script that claims. Include it after `RECORD`.
 *
 * The **place** of a job is its `scheduledAt` minus `agingMs` for each step of its priority. The smallest place goes first. So a
 * job that has waited for `agingMs` has the place of a new job with the next priority. Places do not change over time. The sorted
 * set is ordered by priority, then `scheduledAt`, so the first entry of each priority is enough to find the next job. An empty
 * sorted set is read only once.
 *
 * agingMs  how long a job must wait to rank one step of priority higher, in ms; 0 for strict order by priority
 *
 * `pop(queue, most)` removes up to `most` entries from the list or the sorted set, at least one if there is any. It returns the
 * entries, and which of the two they were in.
 */
export const ORDER = `
local AGING = tonumber(agingMs)
if AGING == 0 then AGING = PRIORITY_STEP end

local function goes_before(a, b)
  if a.place ~= b.place then return a.place < b.place end
  if a.priority ~= b.priority then return a.priority > b.priority end
  return a.entry < b.entry
end

-- The first entry of each priority in the sorted set.
local function first_of_each(queue)
  local firsts, from = {}, '-inf'
  while true do
    local first = call('ZRANGEBYSCORE', queue_key(queue, READY), from, '+inf', 'WITHSCORES', 'LIMIT', 0, 1)
    if #first == 0 then return firsts end
    local score = tonumber(first[2])
    local step = math.floor(score / PRIORITY_STEP)
    local priority = 100 - step
    firsts[#firsts + 1] = { entry = first[1], score = first[2], priority = priority,
      place = score - step * PRIORITY_STEP - priority * AGING }
    from = number((step + 1) * PRIORITY_STEP)
  end
end

-- The number of entries of the list that go before another entry, at least one. Stale entries go before all others.
local function ahead_in_line(queue, other, most)
  local first = call('LRANGE', queue_key(queue, LINE), 0, most - 1)
  if other.place > now then return #first end -- no entry of the list came later than now
  local ids = {}
  for n, entry in ipairs(first) do ids[n] = sub(entry, 9) end
  for n, text in ipairs(read(JOBS, ids)) do
    local job = n > 1 and waits(first[n], text, IN_LINE) and parse(text)
    if job and goes_before(other, { place = scheduled_at(job), priority = 0, entry = first[n] }) then return n - 1 end
  end
  return #first
end

-- Pops the entries of one priority in the sorted set that go before another entry.
local function pop_ready(queue, first, other, most)
  local step = 100 - first.priority
  local last = PRIORITY_STEP - 1
  if other then last = math.min(last, other.place + first.priority * AGING) end
  local bound = number(step * PRIORITY_STEP + last)
  if other and first.priority <= other.priority then bound = '(' .. bound end
  local entries = call('ZRANGEBYSCORE', queue_key(queue, READY), first.score, bound, 'LIMIT', 0, most)
  if #entries == 0 then entries = { first.entry } end
  in_chunks('ZREM', queue_key(queue, READY), entries)
  return entries
end

local function pop(queue, most)
  local firsts = first_of_each(queue)
  if #firsts == 0 then return call('LPOP', queue_key(queue, LINE), most) or {}, IN_LINE end
  local job, is_unreadable = first_in_line(queue)
  if is_unreadable then return call('LPOP', queue_key(queue, LINE), 1), IN_LINE end
  local line = job and { entry = call('LINDEX', queue_key(queue, LINE), 0), priority = 0, place = scheduled_at(job) }
  if line then firsts[#firsts + 1] = line end
  table.sort(firsts, goes_before)
  if firsts[1] ~= line then return pop_ready(queue, firsts[1], firsts[2], most), IN_SET end
  return call('LPOP', queue_key(queue, LINE), ahead_in_line(queue, firsts[2], most)), IN_LINE
end
`;
