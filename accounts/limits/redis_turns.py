"""Turns under a rate limit, counted in Redis: see :mod:`accounts.limits.limiter` for the algorithm."""

from functools import lru_cache

from redis import Redis

# Redis runs a script as one step, and its own clock serves all machines alike. What is whole again is forgotten.
_SCRIPT = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local period, step = tonumber(ARGV[1]), tonumber(ARGV[2])
local whole_at = tonumber(redis.call('GET', KEYS[1]) or '0')
local free_until = now + period - step
if whole_at > now + period + 5000 then
  whole_at = now
end
if whole_at > free_until then
  return whole_at - free_until
end
whole_at = math.max(whole_at, now) + step
redis.call('SET', KEYS[1], string.format('%.0f', whole_at), 'PX', string.format('%.0f', whole_at - now))
return 0
"""
# A page waits no longer for it.
_TIMEOUT_SECONDS = 1.0


@lru_cache(maxsize=4)
def _connected(url: str) -> Redis:
    return Redis.from_url(url, socket_timeout=_TIMEOUT_SECONDS, socket_connect_timeout=_TIMEOUT_SECONDS)


def turn_in_redis(url: str, key: str, *, period_ms: int, step_ms: int) -> int:
    """Take one turn: 0 when it was allowed, otherwise the milliseconds until the next. Raises ``RedisError``."""
    answer = _connected(url).eval(_SCRIPT, 1, f"limit:{key}", str(period_ms), str(step_ms))
    return int(answer)
