import { defineScript } from './define-script.js';
import { RECORD } from './record.lua.js';

/**
 * Pauses names. A name that is already paused does not change.
 *
 * KEYS     as in `record.lua.ts`
 * time     the clock in ms, or '' for the clock of Redis
 * by       who pauses them, as JSON
 * returns  the number of names that were not paused before
 */
export const pauseScript = defineScript<number>({
  name: 'pause',
  args: ['time', 'by'],
  lua: `${RECORD}
go_on_when_full()
local queues = (#KEYS - SHARED) / OF_QUEUE
local paused, count = paused_up_to(queues), 0
for queue = 1, queues do
  if not paused[queue] then
    call('HSET', PAUSED, name_of(queue), NOW .. ',' .. by)
    count = count + 1
  end
end
return count`,
});
