import { defineScript } from './define-script.js';
import { EXPIRED_LEASES } from './expired-leases.lua.js';
import { MAINTAIN, type Maintained } from './maintain.lua.js';
import { RECORD } from './record.lua.js';
import { KEEP_CLOCK, SILENCE } from './silence.lua.js';

type FoundExpired = [ids: string[], dropped: number, more: number, now: string, maintained: Maintained | []];

/**
 * Which claims have run out. Entries of `leases` that nobody needs any more are dropped. Where none has, as nearly always, the
 * names that are given are maintained in the same step.
 *
 * KEYS     as in `record.lua.ts`; then `names`
 * time     the clock in ms, or '' for Redis's own
 * limit    the most jobs to name
 * sweptAt, silenceMs, leaseMs as in `silence.lua.ts`; all '' where this is no sweep that comes round
 * keepMs   as in `maintain.lua.ts`
 * returns  ids of jobs whose lease has run out; how many entries were dropped; 1 where there may be more such jobs, else 0;
 *          the time; what was maintained, or nothing
 */
export const findExpiredScript = defineScript<FoundExpired>({
  name: 'find_expired',
  args: ['time', 'limit', 'sweptAt', 'silenceMs', 'leaseMs', 'keepMs'],
  lua: `${RECORD}${SILENCE}${KEEP_CLOCK}${EXPIRED_LEASES}${MAINTAIN}
go_on_when_full()
if silenceMs ~= '' then keep_clock(sweptAt, tonumber(silenceMs), tonumber(leaseMs)) end
local found, dropped, more = expired_leases(tonumber(limit))
return { found, dropped, more and 1 or 0, NOW, #found == 0 and not more and maintain_all(keepMs) or {} }`,
});
