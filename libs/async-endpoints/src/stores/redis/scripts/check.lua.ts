import { defineScript } from './define-script.js';

/**
 * Tries commands, for the check at boot.
 *
 * KEYS     a key that nothing else uses; the script deletes it
 * channel  a channel without subscribers
 * …        commands, their words separated by spaces; `$` is the key, `%` the channel
 * returns  for each command that is refused because it is unknown or not permitted, or because the server is a replica: its name,
 *          then the error. Refusals that pass, such as those of a full server or disk, do not count.
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
