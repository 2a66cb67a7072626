import { defineScript } from './define-script.js';
import { RECORD } from './record.lua.js';

/**
 * Registers a worker, and removes some workers whose registration has expired.
 *
 * KEYS     as in `record.lua.ts`, no names; then `workers`, `alive`
 * time     the clock in ms, or '' for the clock of Redis
 * id       the id of the worker
 * aliveMs  how long the registration is valid
 * entry    its `WorkerInfo` as JSON
 * returns  the number of removed workers
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
