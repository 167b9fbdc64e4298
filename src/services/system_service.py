"""The state of the parts that GopherTalk stands on."""

from config import rabbitmq, redis
from config.settings import get_settings
from dto.system_dto import Parts, State
from repositories import system_repository
from utils.request_budget import limit_database_seconds

# Who asks whether something works wants to know soon.
PATIENCE_SECONDS = 1.0


def database_answers() -> bool:
    limit_database_seconds(PATIENCE_SECONDS)
    try:
        system_repository.select_one()
    except Exception:  # whatever went wrong, the answer is no
        return False
    return True


def ping() -> Parts:
    """Asks each part now; none is waited for long."""
    settings = get_settings()
    return {
        "database": _state(database_answers()),
        "redis": _state(redis.answers()) if settings.redis_host else "off",
        "rabbitmq": _state(rabbitmq.answers(settings)) if settings.rmq_host else "off",
    }


def _state(answers: bool) -> State:
    return "ok" if answers else "down"
