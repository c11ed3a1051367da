"""Rate limits counted in Redis: see :mod:`accounts.limits.limiter` for the algorithm."""

from functools import lru_cache

from redis import Redis

# Redis runs a script atomically, and its clock is the same for all machines. A key expires at its TAT.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local period, step = tonumber(ARGV[1]), tonumber(ARGV[2])
local tat = tonumber(redis.call('GET', KEYS[1]) or '0')
local tat_limit = now + period - step
if tat > now + period + 5000 then
  tat = now
end
if tat > tat_limit then
  return tat - tat_limit
end
tat = math.max(tat, now) + step
redis.call('SET', KEYS[1], string.format('%.0f', tat), 'PX', string.format('%.0f', tat - now))
return 0
"""
# A page waits no longer for Redis.
_TIMEOUT_SECONDS = 1.0


@lru_cache(maxsize=4)
def _connected(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS)


def take_permit_in_redis(url: str, key: str, *, period_ms: int, step_ms: int) -> int:
    """Take one permit: return 0 if it was granted, else the milliseconds until the next. Raise ``RedisError``."""
    wait_ms = _connected(url).eval(_SCRIPT, 1, f"limit:{key}", str(period_ms), str(step_ms))
    return int(wait_ms)
