/**
 * For scripts that decide whether a lease has expired. Include it after `RECORD`. Leases end although their workers live when the
 * store was down, unreachable or paused, or when its clock jumped. Sweeps are periodic, so a long time without sweeps is a
 * **silence**. A silence is **witnessed** when a process that swept before it also sweeps after it. Without a witness, all
 * workers may have stopped.
 *
 * - After a witnessed silence, no job is recovered for one lease of the sweeping worker, and the time of the silence does not
 * count for leases. A lease that ended in the silence counts no crash.
 * - After a silence without a witness, no job is recovered for a third of a lease, the interval at which live workers renew.
 *
 * The field `clock` of `counters` holds, in ms: the offset to the clock of the server; the time of the last sweep; begin and end
 * of the last silence; the end of the grace after it; and 1 when it was witnessed.
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
 * For the script of the sweeps. Include it after `SILENCE`.
 *
 * `keep_clock(swept_at, silence_ms, lease_ms)` records this sweep, and the silence before it if there was one. When the clock of
 * the server was set back, the store's clock continues from its last time. It then runs a tenth slower until both clocks agree
 * again. `swept_at` is the time of the previous sweep of the process by the store's clock, or '' for its first sweep.
 */
export const KEEP_CLOCK = `
local function keep_clock(swept_at, silence_ms, lease_ms)
  local ahead = clock_now + offset - seen
  if seen > 0 then offset = ahead < 0 and offset - ahead or math.max(0, offset - math.floor(ahead / 10)) end
  local is_witness = swept_at ~= ''
  if seen > 0 and now - seen > silence_ms then
    -- A silence that begins within the grace continues the last one: leases could not be renewed in between.
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
