/**
 * For scripts that judge whether a lease has run out, after `RECORD`. Leases run out without their workers' fault when
 * nobody reaches the store: it was down, cut off or paused, or its clock jumped. Sweeps come by all the time, so a longer
 * time without any is a **silence**. It is **witnessed** where a process that swept before it sweeps again after it; without
 * a witness all workers may have stopped by themselves.
 *
 * - After a witnessed silence nothing is recovered for one lease of the sweeping worker, and what a lease had left when
 *   the silence began, it has again when it ends. A lease that ran out in the silence counts no crash.
 * - After one that nobody witnessed nothing is recovered for a third of a lease: whoever lives renews at that rate.
 *
 * The field `clock` of `counters` holds, in ms: what is added to the server's clock; the time of the last sweep; begin and
 * end of the last silence; the end of the grace after it; and 1 where it was witnessed.
 */
export const SILENCE = `
silent_from, silent_until, grace_until = tonumber(silent_from or 0), tonumber(silent_until or 0), tonumber(grace_until or 0)

local function ran_out_in_silence(lease_until)
  return is_witnessed == '1' and lease_until > silent_from and lease_until <= silent_until
end

local function has_run_out(lease_until)
  if lease_until > now or now < grace_until then return false end
  return not ran_out_in_silence(lease_until) or now - silent_until >= lease_until - silent_from
end
`;

/**
 * For the script of the sweeps, after `SILENCE`.
 *
 * `keep_clock(swept_at, silence_ms, lease_ms)` notes this sweep and, where there was a silence before it, that one. A clock
 * that was set back is made up for, so that time goes on at once; from then on the store's clock runs slower by a tenth until
 * both agree again. `swept_at` is the time of the process's last sweep by the store's clock, or '' for its first.
 */
export const KEEP_CLOCK = `
local function keep_clock(swept_at, silence_ms, lease_ms)
  local ahead = clock_now + offset - seen
  if seen > 0 then offset = ahead < 0 and offset - ahead or math.max(0, offset - math.floor(ahead / 10)) end
  local is_witness = swept_at ~= ''
  if seen > 0 and now - seen > silence_ms then
    -- One soon after another is the same to leases that could not be renewed in between.
    local goes_on = is_witnessed == '1' and seen < grace_until
    silent_from, silent_until = goes_on and silent_from or seen, now
    is_witnessed = (is_witness or goes_on) and '1' or '0'
    grace_until = now + (is_witnessed == '1' and lease_ms or lease_ms / 3)
  elseif is_witness and is_witnessed == '0' and silent_until > 0 and tonumber(swept_at) <= silent_from then
    is_witnessed, grace_until = '1', silent_until + lease_ms
  end
  call('HSET', COUNTERS, 'clock', table.concat({ number(offset), NOW, number(silent_from), number(silent_until),
    number(grace_until), is_witnessed or '0' }, ','))
end
`;
