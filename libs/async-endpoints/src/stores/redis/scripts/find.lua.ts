import { defineScript } from './define-script.js';

/**
 * `without_payload(text)`: a record as readers need it, or '?' where it cannot be read. The payload may be large, and is no
 * reader's business.
 */
export const WITHOUT_PAYLOAD = `
local match, sub = string.match, string.sub

local function without_payload(text)
  local length, fixed_at = match(text, '^1%a%x%x%x%x%x%x%x%x%x(%x%x%x%x%x%x)[^\\n]*\\n()')
  local payload_at = fixed_at and match(text, '^[^\\n]*\\n[^\\n]*\\n[^\\n]*\\n()', fixed_at + tonumber(length, 16))
  return payload_at and sub(text, 1, payload_at - 1) or '?'
end
`;

/**
 * @param count how many ids there are
 * @param select decides on the record `text` of the `n`-th id of this step: Lua that sets it to false to pass over it
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
    -- A completed job has no payload any more, and a finished one has no claim.
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
  -- How large records are, the last ones have shown.
  local fitting = math.floor((MOST_BYTES - bytes) * (last - FIRST + 1) / math.max(bytes, 1))
  first, step = last + 1, math.min(CHUNK, math.max(1, fitting))
end
return replies`;
}

/**
 * Records as readers need them.
 *
 * KEYS     jobs, claims
 * …        job ids
 * returns  for each: all lines of its record but the payload ('?' where it cannot be read), and its claim, each '' where there is
 *          none. Fewer than were asked for where they are large: ask again for the rest
 */
export const findScript = defineScript<string[]>({ name: 'find', args: [], lua: findLua('#ARGV') });

/**
 * As `find`, for jobs of given owners. A job of another owner is answered like one that does not exist: the script reads
 * the owner of its record and sends nothing of it.
 *
 * KEYS     jobs, claims
 * …        job ids, then as many owners as they are written in records
 * returns  as `find`, with '' for the record of another owner's job
 */
export const findOwnedScript = defineScript<string[]>({
  name: 'findOwned',
  args: [],
  lua: findLua(
    '#ARGV / 2',
    `
    if text then
      -- What has no line for an owner cannot be read, and is told as such.
      local owner_at = match(text, '^[^\\n]*\\n[^\\n]*\\n()')
      local owner = ARGV[COUNT + first + n - 1]
      if not owner_at then text = '?' elseif sub(text, owner_at, owner_at + #owner) ~= owner .. '\\n' then text = false end
    end`,
  ),
});
