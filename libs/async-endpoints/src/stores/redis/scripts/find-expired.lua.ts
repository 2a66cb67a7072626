import { defineScript } from './define-script.js';
import { EXPIRED_LEASES } from './expired-leases.lua.js';
import { MAINTAIN, type Maintained } from './maintain.lua.js';
import { RECORD } from './record.lua.js';
import { KEEP_CLOCK, SILENCE } from './silence.lua.js';

type FoundExpired = [ids: string[], dropped: number, more: number, now: string, maintained: Maintained | []];

/**
 * Finds expired claims. Drops entries of `leases` that no claim needs. When there are no expired claims, as nearly always, the
 * same step maintains the given names.
 *
 * KEYS     as in `record.lua.ts`; then `names`
 * time     the clock in ms, or '' for the clock of Redis
 * limit    the most jobs to return
 * sweptAt, silenceMs, leaseMs as in `silence.lua.ts`; all '' for a call that is not a periodic sweep
 * keepMs   as in `maintain.lua.ts`
 * returns  ids of jobs whose lease has expired; the number of dropped entries; 1 when there may be more such jobs, else 0; the
 *          time; the result of the maintenance, if it ran
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
