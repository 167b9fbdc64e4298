-- Sends the requests of a file, in order and over again; every thread has its own part of them.
-- A line is: method, path, token, body, separated by tabs.
local threads = 0

function setup(thread)
   thread:set("number", threads)
   threads = threads + 1
end

function init(args)
   local all, lines = tonumber(args[2]), {}
   for line in io.lines(args[1]) do
      lines[#lines + 1] = line
   end
   requests, position = {}, 0
   local share = math.floor(#lines / all)
   for i = number * share + 1, (number + 1) * share do
      local method, path, token, body = lines[i]:match("^(.-)\t(.-)\t(.-)\t(.*)$")
      local headers = {}
      if token ~= "" then headers["Authorization"] = "Bearer " .. token end
      if body ~= "" then headers["Content-Type"] = "application/json" end
      requests[#requests + 1] = wrk.format(method, path, headers, body ~= "" and body or nil)
   end
end

function request()
   position = position % #requests + 1
   return requests[position]
end

function done(summary, latency, _)
   local e = summary.errors
   io.write(string.format(
      '\nRESULT {"requests": %d, "microseconds": %d, "p50": %d, "p99": %d, "refused": %d, "broken": %d}\n',
      summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
      e.status, e.connect + e.read + e.write + e.timeout))
end
