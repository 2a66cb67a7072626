import { defineScript } from './define-script.js';
import { EXPIRED_LEASES } from './expired-leases.lua.js';
import { RECORD } from './record.lua.js';
import { KEEP_CLOCK, SILENCE } from './silence.lua.js';

/**
 * Which claims have run out. Entries of `leases` that nobody needs any more are dropped.
 *
 * KEYS     as in `record.lua.ts`, no names
 * time     the clock in ms, or '' for Redis's own
 * limit    the most jobs to name
 * sweptAt, silenceMs, leaseMs as in `silence.lua.ts`; all '' where this is no sweep that comes round
 * returns  ids of jobs whose lease has run out; how many entries were dropped; 1 where there may be more such jobs, else 0;
 *          the time
 */
export const findExpiredScript = defineScript<[ids: string[], dropped: number, more: number, now: string]>({
  name: 'find_expired',
  args: ['time', 'limit', 'sweptAt', 'silenceMs', 'leaseMs'],
  lua: `${RECORD}${SILENCE}${KEEP_CLOCK}${EXPIRED_LEASES}
go_on_when_full()
if silenceMs ~= '' then keep_clock(sweptAt, tonumber(silenceMs), tonumber(leaseMs)) end
local found, dropped, more = expired_leases(tonumber(limit))
return { found, dropped, more and 1 or 0, NOW }`,
});
