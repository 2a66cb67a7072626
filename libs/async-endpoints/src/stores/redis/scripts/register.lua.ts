import { defineScript } from './define-script.js';
import { RECORD } from './record.lua.js';

/**
 * Registers a worker, and removes some workers that did not register in time.
 *
 * KEYS     as in `record.lua.ts`, no names; then `workers`, `alive`
 * time     the clock in ms, or '' for Redis's own
 * id       of the worker
 * aliveMs  for how long that counts
 * entry    its `WorkerInfo` as JSON
 * returns  how many were forgotten
 */
export const registerScript = defineScript<number>({
  name: 'register',
  args: ['time', 'id', 'aliveMs', 'entry'],
  lua: `${RECORD}
local WORKERS, ALIVE = KEYS[SHARED + 1], KEYS[SHARED + 2]
go_on_when_full()
call('HSET', WORKERS, id, NOW .. ',' .. entry)
call('ZADD', ALIVE, number(now + aliveMs), id)
local silent = call('ZRANGEBYSCORE', ALIVE, '-inf', NOW, 'LIMIT', 0, 100)
if #silent > 0 then
  call('HDEL', WORKERS, unpack(silent))
  call('ZREM', ALIVE, unpack(silent))
end
return #silent`,
});
