import { defineScript } from './define-script.js';
import { RECORD } from './record.lua.js';

/**
 * Pauses names; one that is paused already stays as it is.
 *
 * KEYS     as in `record.lua.ts`
 * time     the clock in ms, or '' for Redis's own
 * by       the person who pauses them, as JSON
 * returns  how many names were not paused before
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
