import { defineScript } from '../define-script.js';

/**
 * A page of one index, from after a place in it; the member there need not exist any more.
 *
 * KEYS     the index, a sorted set; the records
 * limit    the most entries
 * offset   where the job id begins in a member
 * score    of the place, or '' to begin
 * member   of the place
 * returns  for each entry: member, score, record or ''
 */
export const pageScript = defineScript<string[]>({
  name: 'page',
  args: ['limit', 'offset', 'score', 'member'],
  lua: `
local from = 0
if score ~= '' then
  local rank = redis.call('ZRANK', KEYS[1], member)
  if rank then
    from = rank + 1
  else
    redis.call('ZADD', KEYS[1], score, member)
    from = redis.call('ZRANK', KEYS[1], member)
    redis.call('ZREM', KEYS[1], member)
  end
end
local entries = redis.call('ZRANGE', KEYS[1], from, from + limit - 1, 'WITHSCORES')
local replies = {}
for n = 1, #entries, 2 do
  replies[#replies + 1] = entries[n]
  replies[#replies + 1] = entries[n + 1]
  replies[#replies + 1] = redis.call('HGET', KEYS[2], string.sub(entries[n], offset)) or ''
end
return replies`,
});
