"""Whether the database, Redis and RabbitMQ work, and whether this process does."""

from config import db, rabbitmq, redis
from config.settings import get_settings
from dto.system_dto import Parts, State
from repositories import system_repository
from services.event_service import HANDLERS
from utils import process_state
from utils.errors import Unavailable
from utils.request_budget import limit_database_seconds

# A health check must answer soon, also when it answers no.
HEALTH_CHECK_SECONDS = 1.0
# A load balancer must know within a second, the time for its own request included.
READINESS_SECONDS = 0.5


def check_live() -> None:
    """Raises Unavailable when this process should be restarted."""
    if process_state.is_stalled():
        raise Unavailable("This process has finished nothing for too long")


def check_ready() -> None:
    """Raises Unavailable, with the reason, when this process should get no requests."""
    process_state.note_readiness_asked()
    if process_state.stop_has_begun:
        raise Unavailable("The server is stopping")
    limit_database_seconds(READINESS_SECONDS)
    if not db.schema_is_known() or not system_repository.tables_fit(db.code_version()):
        raise Unavailable("The tables are not those that this version needs")
    if not system_repository.takes_writes():
        raise Unavailable("The database is read-only")


def database_answers() -> bool:
    """Whether it can be read and written now."""
    limit_database_seconds(HEALTH_CHECK_SECONDS)
    try:
        return system_repository.takes_writes()
    except Exception:  # whatever went wrong, the answer is no
        return False


def ping() -> Parts:
    """Whether each part can work now. Each check has a short timeout."""
    database = _state(database_answers())
    return {"database": database, "redis": redis_state(), "rabbitmq": rabbitmq_state()}


def redis_state() -> State:
    return _state(redis.takes_writes()) if redis.client else "off"


def rabbitmq_state() -> State:
    settings = get_settings()
    return _state(rabbitmq.takes_events(settings, list(HANDLERS))) if settings.rmq_host else "off"


def _state(works: bool) -> State:
    return "ok" if works else "down"
