import { defineScript } from './define-script.js';

/**
 * Tries commands, as a check at boot.
 *
 * KEYS     a key that nothing else uses; it is gone afterwards
 * channel  whose listeners, of whom there are none, hear of it
 * …        commands, their words separated by spaces; `$` is the key, `%` the channel
 * returns  of each command that is refused, because it is unknown or not permitted or the server is a replica: its name, then
 *          what Redis says. A server that is full, or cannot write to its disk, refuses nothing for good.
 */
export const checkScript = defineScript<string[]>({
  name: 'check',
  args: ['channel'],
  lua: `
local refused = {}
for n = FIRST, #ARGV do
  local words = {}
  for word in string.gmatch(ARGV[n], '%S+') do
    words[#words + 1] = word == '$' and KEYS[1] or word == '%' and channel or word
  end
  local reply = redis.pcall(unpack(words))
  local failure = type(reply) == 'table' and reply.err
  if failure and (string.find(failure, 'nknown') or string.find(failure, 'NOPERM') or string.find(failure, "can't")) then
    refused[#refused + 1] = words[1]
    refused[#refused + 1] = failure
  end
end
return refused
`,
});
