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
  local texts = redis.call('HMGET', KEYS[1], unpack(ARGV, first, last))
  local claims = redis.call('HMGET', KEYS[2], unpack(ARGV, first, last))
  for n, text in ipairs(texts) do
    replies[#replies + 1] = text and string.match(text, BUT_INPUT) or ''
    replies[#replies + 1] = claims[n] or ''
  end
end
return replies`,
});
