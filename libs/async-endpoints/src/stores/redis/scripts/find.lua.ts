import { defineScript } from './define-script.js';
import { OF_RECORD, OF_REST } from './layout.lua.js';

/**
 * `without_payload(text)`: a record without its payload, which may be large and which no reader needs. '?' when it cannot be
 * read.
 */
export const WITHOUT_PAYLOAD = `
local match, sub = string.match, string.sub

local function without_payload(text)
  local length, fixed_at = match(text, ${OF_RECORD.fixed})
  local payload_at = fixed_at and match(text, ${OF_REST.payloadAt}, fixed_at + tonumber(length, 16))
  return payload_at and sub(text, 1, payload_at - 1) or '?'
end
`;

/**
 * @param count the number of ids
 * @param select Lua code that sets `text`, the record of the `n`-th id of this step, to false to skip it
 */
function findLua(count: string, select = ''): string {
  return `${WITHOUT_PAYLOAD}local MOST_BYTES, FIRST_STEP, CHUNK, COUNT = 4194304, 16, 2000, ${count}
local replies, bytes, first, step = {}, 0, FIRST, FIRST_STEP
while first <= COUNT and bytes < MOST_BYTES do
  local last = math.min(first + step - 1, COUNT)
  local unfinished, at = {}, {}
  for n, text in ipairs(redis.call('HMGET', KEYS[1], unpack(ARGV, first, last))) do
    if text then bytes = bytes + #text end${select}
    local status = text and string.sub(text, 2, 2)
    -- A completed job has no payload, and a terminal job has no claim.
    replies[#replies + 1] = status == 'C' and text or text and without_payload(text) or ''
    replies[#replies + 1] = ''
    if status and not string.find('CFX', status, 1, true) then
      unfinished[#unfinished + 1] = ARGV[first + n - 1]
      at[#unfinished] = #replies
    end
  end
  local claims = #unfinished > 0 and redis.call('HMGET', KEYS[2], unpack(unfinished)) or {}
  for n, claim in ipairs(claims) do
    replies[at[n]] = claim or ''
  end
  -- Estimate the size of the next records from the last ones.
  local fitting = math.floor((MOST_BYTES - bytes) * (last - FIRST + 1) / math.max(bytes, 1))
  first, step = last + 1, math.min(CHUNK, math.max(1, fitting))
end
return replies`;
}

/**
 * Returns records without their payloads.
 *
 * KEYS     jobs, claims
 * …        job ids
 * returns  for each: all lines of its record except the payload ('?' when it cannot be read), and its claim, each '' when there
 *          is none. Fewer than requested when they are large: ask again for the rest
 */
export const findScript = defineScript<string[]>({ name: 'find', args: [], lua: findLua('#ARGV') });

/**
 * Like `find`, for jobs of the given owners. The reply for a job of another owner is the same as for one that does not exist: the
 * script reads the owner and returns nothing of the record.
 *
 * KEYS     jobs, claims
 * …        job ids, then as many owners, in their stored form
 * returns  like `find`, with '' for the record of a job of another owner
 */
export const findOwnedScript = defineScript<string[]>({
  name: 'findOwned',
  args: [],
  lua: findLua(
    '#ARGV / 2',
    `
    if text then
      -- A record without a line for the owner cannot be read and is reported as such.
      local owner_at = match(text, ${OF_RECORD.ownerAt})
      local owner = ARGV[COUNT + first + n - 1]
      if not owner_at then text = '?' elseif sub(text, owner_at, owner_at + #owner) ~= owner .. '\\n' then text = false end
    end`,
  ),
});
