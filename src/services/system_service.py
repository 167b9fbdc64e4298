"""The state of the parts that GopherTalk stands on."""

from dto.system_dto import Parts
from repositories import system_repository
from utils import context

# Who asks whether something works wants to know soon.
PATIENCE_SECONDS = 1.0


def database_answers() -> bool:
    context.allow_seconds(PATIENCE_SECONDS)
    try:
        system_repository.select_one()
    except Exception:  # whatever went wrong, the answer is no
        return False
    return True


def ping() -> Parts:
    """Redis and RabbitMQ are not used yet, so they are off."""
    return {
        "database": "ok" if database_answers() else "down",
        "redis": "off",
        "rabbitmq": "off",
    }
