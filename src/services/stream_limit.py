"""How many streams an account has open: in Redis for all processes together. Without Redis, or
while it is down, each process counts its own.

A process writes how many it has, and says every second that it lives: what a dead process has
written does not count.
"""

from threading import Lock
from uuid import uuid4

from config import redis

MAX_STREAMS = 5
# A process that has not said for so long that it lives is dead.
ALIVE_SECONDS = 5
KEY_PREFIX = "gophertalk:streams:"
PROCESS_PREFIX = f"{KEY_PREFIX}process:"
# Adds up what living processes have for an account, leaves out the one that asks, and writes its
# own number if there is room for it. Returns 1 if there is.
WRITE = """
local others = 0
for _, process in ipairs(redis.call('HKEYS', KEYS[1])) do
    if process == ARGV[1] then
        -- its number is about to change
    elseif redis.call('EXISTS', ARGV[4] .. process) == 1 then
        others = others + redis.call('HGET', KEYS[1], process)
    else
        redis.call('HDEL', KEYS[1], process)
    end
end
local own, most = tonumber(ARGV[2]), tonumber(ARGV[3])
if own == 0 then
    redis.call('HDEL', KEYS[1], ARGV[1])
    return 1
end
if others + own > most then
    return 0
end
redis.call('SET', ARGV[4] .. ARGV[1], '', 'EX', ARGV[5])
redis.call('HSET', KEYS[1], ARGV[1], own)
redis.call('EXPIRE', KEYS[1], 86400)
return 1
"""

_process_id = uuid4().hex
# By user.
_own: dict[int, int] = {}
# Whose number could not be written to Redis.
_unwritten: set[int] = set()
_lock = Lock()


def take(user_id: int) -> bool:
    """Counts one more; False when there are MAX_STREAMS already."""
    with _lock:
        own = _own.get(user_id, 0) + 1
        if own > MAX_STREAMS or not _write(user_id, own):
            return False
        _own[user_id] = own
        return True


def give_back(user_id: int) -> None:
    """It is closed."""
    with _lock:
        own = _own.pop(user_id, 0) - 1
        if own > 0:
            _own[user_id] = own
        _write(user_id, max(0, own))


def say_alive() -> None:
    """To be called every second, or what this process has does not count any more."""
    with _lock:
        unwritten = list(_unwritten)
        try:
            if _own:
                key = f"{PROCESS_PREFIX}{_process_id}"
                redis.ask(lambda client: client.set(key, "", ex=ALIVE_SECONDS))
        except redis.RedisUnavailable:
            return
        for user_id in unwritten:
            _write(user_id, _own.get(user_id, 0))


def _write(user_id: int, own: int) -> bool:
    """Whether there is room for so many; as far as anybody knows, when Redis is down."""
    args = (_process_id, own, MAX_STREAMS, PROCESS_PREFIX, ALIVE_SECONDS)
    try:
        has_room = redis.ask(
            lambda client: client.eval(WRITE, 1, f"{KEY_PREFIX}{user_id}", *map(str, args))
        )
    except redis.RedisUnavailable:
        if redis.client is not None:
            _unwritten.add(user_id)
        return True
    _unwritten.discard(user_id)
    return bool(has_room)
