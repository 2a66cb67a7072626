import { defineScript } from './define-script.js';
import { WITHOUT_PAYLOAD } from './find.lua.js';

/** The reply of both scripts. */
export type Page = [isFull: number, ...entries: string[]];

const REPLY = `${WITHOUT_PAYLOAD}
local call = redis.call
local MOST_BYTES, bytes_read = 4194304, 0
local replies = { 0 }

-- False when enough was read: this entry belongs to the next page.
local function reply(member, score, id, is_worthless)
  if bytes_read >= MOST_BYTES then
    replies[1] = 1
    return false
  end
  local text = call('HGET', KEYS[2], id)
  if text then bytes_read = bytes_read + #text end
  local n = #replies
  replies[n + 1], replies[n + 2] = member, score
  replies[n + 3] = text and not (is_worthless and is_worthless(text)) and without_payload(text) or ''
  replies[n + 4] = call('HGET', KEYS[3], id) or ''
  return true
end
`;

/**
 * A page of a sorted set, in descending order, from before a place in it. The member at the place need not exist.
 *
 * KEYS     the sorted set; jobs, claims
 * limit    the most entries
 * offset   where the job id begins in a member, from 1
 * score    the score of the place, or '' for the first page
 * member   the member of the place
 * returns  1 when the page ends early because records are large, else 0; then for each entry: member, score, record without its
 *          payload ('' for none, '?' when it cannot be read), claim or ''
 */
export const pageOfSetScript = defineScript<Page>({
  name: 'page_of_set',
  args: ['limit', 'offset', 'score', 'member'],
  lua: `${REPLY}
local till
if score == '' then
  till = call('ZCARD', KEYS[1])
else
  till = call('ZRANK', KEYS[1], member)
  if not till then
    call('ZADD', KEYS[1], score, member)
    till = call('ZRANK', KEYS[1], member)
    call('ZREM', KEYS[1], member)
  end
end
local entries = till > 0 and call('ZRANGE', KEYS[1], math.max(till - limit, 0), till - 1, 'WITHSCORES') or {}
for n = #entries - 1, 1, -2 do
  if not reply(entries[n], entries[n + 1], sub(entries[n], offset)) then break end
end
return replies`,
});

/**
 * A page of a list, whose members are in the order of their leading number. Otherwise like `pageOfSetScript`. A stale entry has
 * no record.
 */
export const pageOfListScript = defineScript<Page>({
  name: 'page_of_list',
  args: ['limit', 'offset', 'score', 'member'],
  lua: `${REPLY}
local from, till = 0, call('LLEN', KEYS[1])
while member ~= '' and from < till do
  local middle = math.floor((from + till) / 2)
  if sub(call('LINDEX', KEYS[1], middle), 1, 8) < sub(member, 1, 8) then from = middle + 1 else till = middle end
end
local entries = till > 0 and call('LRANGE', KEYS[1], math.max(till - limit, 0), till - 1) or {}
for n = #entries, 1, -1 do
  local entry = entries[n]
  local is_told = reply(entry, score, sub(entry, offset), function(text)
    return match(text, '^1[FPQRSX]') and not (match(text, '^1Q') and sub(text, 3, 10) == sub(entry, 1, 8))
  end)
  if not is_told then break end
end
return replies`,
});
