-- For wrk: `submit` posts requests that are numbered from 0; `read FILE` gets the lines of a file in turn, each a path and,
-- after a space, the entity tag that is known. Prints what came of it as JSON.
local lines = {}
local next = 0
local headers = { ["content-type"] = "application/json" }

function init(args)
  if args[1] == "read" then
    for line in io.lines(args[2]) do
      local path, tag = line:match("^(%S+) ?(.*)$")
      local known = tag ~= "" and { ["if-none-match"] = tag } or {}
      lines[#lines + 1] = wrk.format("GET", path, known)
    end
  end
end

function request()
  local n = next
  next = next + 1
  if #lines > 0 then return lines[n % #lines + 1] end
  local body = string.format('{"n":%d,"text":"the quick brown fox jumps over dog %07d"}', n, n)
  return wrk.format("POST", nil, headers, body)
end

function done(summary)
  local errors = summary.errors
  local failed = errors.connect + errors.read + errors.write + errors.status + errors.timeout
  local how = string.format("%d connect, %d read, %d write, %d status, %d timeout",
    errors.connect, errors.read, errors.write, errors.status, errors.timeout)
  io.write(string.format('\n{"requests":%d,"failed":%d,"how":"%s","seconds":%f}\n',
    summary.requests, failed, how, summary.duration / 1e6))
end
