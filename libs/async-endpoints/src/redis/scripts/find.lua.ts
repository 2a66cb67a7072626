import { defineScript } from '../define-script.js';

/**
 * Records as readers need them: without the request, which may be large and is no reader's business.
 *
 * KEYS     the records
 * …        job ids
 * returns  for each: all lines of its record but the input, or nil
 */
export const findScript = defineScript<(string | null)[]>({
  name: 'find',
  args: [],
  lua: `
local BUT_INPUT = '^' .. string.rep('[^\\n]*\\n', 10)
local CHUNK = 2000
local replies = {}
for first = FIRST, #ARGV, CHUNK do
  local last = math.min(first + CHUNK - 1, #ARGV)
  for _, text in ipairs(redis.call('HMGET', KEYS[1], unpack(ARGV, first, last))) do
    replies[#replies + 1] = text and string.match(text, BUT_INPUT)
  end
end
return replies`,
});
