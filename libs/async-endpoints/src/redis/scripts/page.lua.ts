import { defineScript } from '../define-script.js';

const REPLY = `
local BUT_INPUT = '^[^\\n]*\\n' .. string.rep('[^\\n]*\\n', 8)
local call, match, sub = redis.call, string.match, string.sub
local replies = {}

local function reply(member, score, id, is_worthless)
  local text = call('HGET', KEYS[2], id)
  local n = #replies
  replies[n + 1], replies[n + 2] = member, score
  replies[n + 3] = text and not (is_worthless and is_worthless(text)) and match(text, BUT_INPUT) or ''
  replies[n + 4] = call('HGET', KEYS[3], id) or ''
end
`;

/**
 * A page of a sorted set, from after a place in it; the member there need not exist any more.
 *
 * KEYS     the sorted set; jobs, claims
 * limit    the most entries
 * offset   where the job id begins in a member, from 1
 * score    of the place, or '' to begin
 * member   of the place
 * returns  for each entry: member, score, record without its input or '', claim or ''
 */
export const pageOfSetScript = defineScript<string[]>({
  name: 'page_of_set',
  args: ['limit', 'offset', 'score', 'member'],
  lua: `${REPLY}
local from = 0
if score ~= '' then
  local rank = call('ZRANK', KEYS[1], member)
  if rank then
    from = rank + 1
  else
    call('ZADD', KEYS[1], score, member)
    from = call('ZRANK', KEYS[1], member)
    call('ZREM', KEYS[1], member)
  end
end
local entries = call('ZRANGE', KEYS[1], from, from + limit - 1, 'WITHSCORES')
for n = 1, #entries, 2 do reply(entries[n], entries[n + 1], sub(entries[n], offset)) end
return replies`,
});

/**
 * A page of a list, whose members stand by the number that they begin with; as `pageOfSetScript` otherwise. An entry in a
 * line that is worth nothing has no record.
 */
export const pageOfListScript = defineScript<string[]>({
  name: 'page_of_list',
  args: ['limit', 'offset', 'score', 'member'],
  lua: `${REPLY}
local from, till = 0, call('LLEN', KEYS[1])
while member ~= '' and from < till do
  local middle = math.floor((from + till) / 2)
  if sub(call('LINDEX', KEYS[1], middle), 1, 8) <= sub(member, 1, 8) then from = middle + 1 else till = middle end
end
for _, entry in ipairs(call('LRANGE', KEYS[1], from, from + limit - 1)) do
  reply(entry, score, sub(entry, offset), function(text)
    return match(text, '^1[^C]') and not (match(text, '^1Q') and sub(text, 3, 10) == sub(entry, 1, 8))
  end)
end
return replies`,
});
