import { defineScript } from '../define-script.js';

/**
 * Records as readers need them: without the request, which may be large and is no reader's business.
 *
 * KEYS     jobs, claims
 * …        job ids
 * returns  for each: all lines of its record but the input, and its claim, each '' where there is none
 */
export const findScript = defineScript<string[]>({
  name: 'find',
  args: [],
  lua: `
local BUT_INPUT = '^[^\\n]*\\n' .. string.rep('[^\\n]*\\n', 8)
local CHUNK = 2000
local replies = {}
for first = FIRST, #ARGV, CHUNK do
  local last = math.min(first + CHUNK - 1, #ARGV)
  local unfinished, at = {}, {}
  for n, text in ipairs(redis.call('HMGET', KEYS[1], unpack(ARGV, first, last))) do
    local status = text and string.sub(text, 2, 2)
    -- A completed job has no input any more, and a finished one has no claim.
    replies[#replies + 1] = status == 'C' and text or text and string.match(text, BUT_INPUT) or ''
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
end
return replies`,
});
