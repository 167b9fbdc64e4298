"""RMQ_HOST may name several nodes: one that lets us in is found."""

import pytest
from pika.exceptions import AMQPConnectionError
from shop import RABBITMQ, needs_rabbitmq, settings_with
from tcp_proxy import free_port, proxy_to

from config import rabbitmq

pytestmark = needs_rabbitmq


@pytest.fixture
def nodes():
    """Two ways to one RabbitMQ, and the settings that name both."""
    with proxy_to(*RABBITMQ) as one, proxy_to(*RABBITMQ) as two:
        ports = f"{one.port},{two.port}"
        hosts = "127.0.0.1, 127.0.0.1"
        with settings_with(RMQ_HOST=hosts, RMQ_PORT=ports, RMQ_PASSWORD="guest") as settings:
            yield settings, one, two


def connects(settings):
    connection = rabbitmq.connect(settings)
    rabbitmq.close(connection)
    return True


def test_the_next_when_one_is_gone_and_then_that_one_first(nodes):
    settings, one, two = nodes
    assert connects(settings)
    one.refuse()
    assert connects(settings)
    one.accept()
    two.refuse()
    assert connects(settings)
    assert rabbitmq._last_node == ("127.0.0.1", str(one.port))


def test_all_gone(nodes):
    settings, one, two = nodes
    one.refuse()
    two.refuse()
    with pytest.raises(AMQPConnectionError):
        rabbitmq.connect(settings)


def test_one_port_is_that_of_all():
    ports = {"RMQ_PORT": str(free_port()), "RMQ_PASSWORD": "guest"}
    hosts = settings_with(RMQ_HOST="127.0.0.1,localhost", **ports)
    with hosts as settings, pytest.raises(AMQPConnectionError):
        rabbitmq.connect(settings)
