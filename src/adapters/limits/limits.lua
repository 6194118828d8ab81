-- One request's limits: all or none (R-04). KEYS: one a counter, all under one hash tag.
-- ARGV: op, milliseconds since 1970 (empty: this server's own clock), id, milliseconds a lease lives, then per counter.
-- A counter of windows is a hash: `<dim><second>` what was taken in that second, `T<dim>` their sum, `O<dim>` the
-- oldest second that may be there. A counter of slots is a sorted set of leases by when they end.
local op, id, ttl = ARGV[1], ARGV[3], tonumber(ARGV[4])
local ms = tonumber(ARGV[2])
if not ms then
  local t = redis.call('TIME')
  ms = t[1] * 1000 + math.floor(t[2] / 1000)
end
local sec = math.floor(ms / 1000)
local SPAN = 60 -- a bucket counts for 60 to 61 s, so that no 60 s ever hold more than the limit
local a, k = 5, 1
local function arg() a = a + 1; return ARGV[a - 1] end
local function num() return tonumber(arg()) end
local function int(n) return string.format('%.0f', n) end -- tostring(1e15) is '1e+15', and '-0' is no integer

local function window(key, dims) -- sums of the last 61 seconds; what is older goes, in two calls at most
  local ask = {}
  for i, d in ipairs(dims) do ask[2 * i - 1] = 'T' .. d; ask[2 * i] = 'O' .. d end
  local got, total = redis.call('HMGET', key, unpack(ask)), {}
  for i, d in ipairs(dims) do
    local sum, old = tonumber(got[2 * i - 1] or 0), tonumber(got[2 * i] or sec)
    if old < sec - SPAN then
      local names = {}
      for s = old, math.min(sec - SPAN - 1, old + SPAN + 1) do names[#names + 1] = d .. s end
      local gone = 0
      for _, v in ipairs(redis.call('HMGET', key, unpack(names))) do gone = gone + tonumber(v or 0) end
      redis.call('HDEL', key, unpack(names))
      sum = sum - gone
      redis.call('HSET', key, 'T' .. d, int(sum), 'O' .. d, sec - SPAN)
    elseif not got[2 * i] then redis.call('HSET', key, 'O' .. d, sec) end
    total[i] = sum
  end
  return total
end

local function wait(key, d, over) -- seconds until `over` has left the window
  for s = sec - SPAN, sec do
    over = over - tonumber(redis.call('HGET', key, d .. s) or 0)
    if over <= 0 then return s + SPAN + 1 - sec end
  end
  return SPAN + 1
end

if op == 'take' then -- answers {1, second, left of each}, or {0, which one, used, wait} having taken nothing
  local act, out = {}, {}
  while k <= #KEYS do
    local key, kind = KEYS[k], arg()
    if kind == 'W' then -- n, then dim, limit, amount of each
      local n, dims, lim, amt = num(), {}, {}, {}
      for i = 1, n do dims[i] = arg(); lim[i] = num(); amt[i] = num() end
      local total = window(key, dims)
      for i = 1, n do
        local over = total[i] + amt[i] - lim[i]
        if over > 0 then return {0, #out, total[i], wait(key, dims[i], over)} end
        out[#out + 1] = lim[i] - total[i] - amt[i]
      end
      act[#act + 1] = function()
        for i = 1, n do
          redis.call('HINCRBY', key, dims[i] .. sec, int(amt[i]))
          redis.call('HINCRBY', key, 'T' .. dims[i], int(amt[i]))
        end
        redis.call('EXPIRE', key, SPAN + 2)
      end
    elseif kind == 'D' then -- limit, amount, seconds to keep it
      local lim, amt, keep = num(), num(), num()
      local used = tonumber(redis.call('GET', key) or 0)
      if used + amt > lim then return {0, #out, used, 0} end
      out[#out + 1] = lim - used - amt
      act[#act + 1] = function() redis.call('INCRBY', key, int(amt)); redis.call('EXPIRE', key, keep) end
    else -- L: limit
      local lim = num()
      redis.call('ZREMRANGEBYSCORE', key, '-inf', ms)
      local used = redis.call('ZCARD', key)
      if used >= lim then return {0, #out, used, 0} end
      out[#out + 1] = lim - used - 1
      act[#act + 1] = function() redis.call('ZADD', key, ms + ttl, id); redis.call('PEXPIRE', key, ttl + 1000) end
    end
    k = k + 1
  end
  for _, f in ipairs(act) do f() end
  return {1, sec, unpack(out)}
elseif op == 'settle' then -- what was taken becomes what it really was; sent once
  while k <= #KEYS do
    local key, kind = KEYS[k], arg()
    if kind == 'W' then -- second of the take, n, then dim, difference of each
      local at, n = num(), num()
      for i = 1, n do
        local d, delta = arg(), num()
        if delta > 0 then -- more than was thought counts from now on
          window(key, {d}) -- first: buckets never lie further apart than one window
          redis.call('HINCRBY', key, d .. sec, int(delta))
          redis.call('HINCRBY', key, 'T' .. d, int(delta))
          redis.call('EXPIRE', key, SPAN + 2)
        elseif delta < 0 and redis.call('HEXISTS', key, d .. at) == 1 then
          redis.call('HINCRBY', key, d .. at, int(delta))
          redis.call('HINCRBY', key, 'T' .. d, int(delta))
        end
      end
    elseif kind == 'D' then -- difference, seconds to keep it
      local delta, keep = num(), num()
      if delta > 0 or redis.call('EXISTS', key) == 1 then
        redis.call('INCRBY', key, int(delta)); redis.call('EXPIRE', key, keep)
      end
    else redis.call('ZREM', key, id) end -- L
    k = k + 1
  end
  return {1}
elseif op == 'renew' then -- KEYS[1]: the processes that live. Then per lease its id; answers who lives
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ms)
  redis.call('ZADD', KEYS[1], ms + ttl, id)
  redis.call('PEXPIRE', KEYS[1], ttl + 1000)
  for n = 2, #KEYS do
    redis.call('ZADD', KEYS[n], ms + ttl, arg())
    redis.call('PEXPIRE', KEYS[n], ttl + 1000)
  end
  return redis.call('ZRANGE', KEYS[1], 0, -1)
end
if op == 'probe' then -- whether it may write
  redis.call('SET', KEYS[1], ms, 'EX', SPAN)
  return {1}
end
return redis.error_reply('ERR no such operation')
