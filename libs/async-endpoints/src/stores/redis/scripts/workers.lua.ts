import { defineScript } from './define-script.js';
import { RECORD } from './record.lua.js';

/**
 * The live workers.
 *
 * KEYS     as in `record.lua.ts`, no names; then `workers`, `alive`
 * time     the clock in ms, or '' for the clock of Redis
 * returns  for each: the time of its last registration, ms, a comma, and its `WorkerInfo` as JSON
 */
export const workersScript = defineScript<string[]>({
  name: 'workers',
  args: ['time'],
  lua: `${RECORD}
local entries = {}
for _, entry in ipairs(read(KEYS[SHARED + 1], call('ZRANGEBYSCORE', KEYS[SHARED + 2], '(' .. NOW, '+inf'))) do
  if entry then entries[#entries + 1] = entry end
end
return entries`,
});
