/**
 * For scripts that look for expired leases. Include it after `RECORD` and `SILENCE`.
 *
 * `expired_leases(limit)` returns the ids of up to `limit` claims that have expired or cannot be read, the number of entries of
 * `leases` that were dropped because no claim needs them, and whether there may be more entries. An entry may name thousands of
 * jobs, so the function stops only between entries, when it has found or read enough.
 */
export const EXPIRED_LEASES = `
local ENTRIES, IDS = 100, 1000

local function expired_leases(limit)
  local entries = call('ZRANGEBYSCORE', LEASES, '-inf', NOW, 'LIMIT', 0, ENTRIES)
  local found, dropped, seen, more = {}, {}, 0, #entries == ENTRIES
  for _, entry in ipairs(entries) do
    if seen >= IDS or limit > 0 and #found == limit then
      more = true
      break
    end
    local ids, is_needed = {}, false
    for id in string.gmatch(entry, '%S+') do ids[#ids + 1] = id end
    seen = seen + #ids
    for n, claim in ipairs(read(CLAIMS, ids)) do
      local lease_until = claim and tonumber(match(claim, CLAIM_END) or '0')
      if lease_until and lease_until <= now then
        is_needed = true
        if #found < limit and has_run_out(lease_until) then found[#found + 1] = ids[n] end
      end
    end
    if not is_needed then dropped[#dropped + 1] = entry end
  end
  if #dropped > 0 then call('ZREM', LEASES, unpack(dropped)) end
  return found, #dropped, more or limit > 0 and #found == limit
end
`;
