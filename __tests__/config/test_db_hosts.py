"""DB_HOST may name several hosts: the one that takes writes is found."""

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from shop import settings_with

from config import db
from config.settings import Settings, SettingsError, get_settings
from packages import embedded_postgres


@pytest.fixture(scope="module")
def writable(database):
    return conninfo_to_dict(db.pool.conninfo())


@pytest.fixture(scope="module")
def read_only(tmp_path_factory):
    """Another server, which takes no writes, as a standby does not."""
    server = embedded_postgres.start(tmp_path_factory.mktemp("standby"), "gophertalk")
    with psycopg.connect(**server.conninfo, autocommit=True) as conn:
        conn.execute("ALTER ROLE CURRENT_USER SET default_transaction_read_only TO on")
    yield server.conninfo
    server.release()


def settings_for(server, *hosts, ports=None):
    names = {"db_user": server["user"], "db_name": server["dbname"]}
    return Settings(db_host=",".join(hosts), db_port=ports or server["port"], **names)


@pytest.mark.parametrize("order", [1, -1])
def test_of_several_the_one_that_takes_writes(writable, read_only, order):
    hosts = [str(read_only["host"]), "/no/such/folder", writable["host"]][::order]
    settings = settings_for(writable, *hosts)
    with psycopg.connect(**db.server_conninfo(settings), connect_timeout=5) as conn:
        assert conn.info.host == writable["host"]


def test_one_is_taken_as_it_is(writable, read_only):
    settings = settings_for(writable, str(read_only["host"]))
    with psycopg.connect(**db.server_conninfo(settings), connect_timeout=5) as conn:
        assert conn.info.host == str(read_only["host"])


def test_each_may_have_a_port_of_its_own(writable, read_only):
    ports = f"{int(writable['port']) + 1},{writable['port']}"
    settings = settings_for(writable, writable["host"], writable["host"], ports=ports)
    with psycopg.connect(**db.server_conninfo(settings), connect_timeout=5) as conn:
        assert conn.info.port == int(writable["port"])


@pytest.mark.parametrize("name", ["DB", "RMQ"])
def test_ports_that_do_not_fit_the_hosts_are_refused(name):
    needed = pytest.raises(SettingsError, match=f"{name}_PORT must be one, or one for each host")
    with needed, settings_with(**{f"{name}_HOST": "a,b,c", f"{name}_PORT": "1,2"}):
        get_settings()


def test_they_may_be_written_with_blanks():
    with settings_with(DB_HOST="db1.example.org, 10.0.0.5,::1") as settings:
        assert settings.db_host == "db1.example.org,10.0.0.5,::1"


@pytest.mark.parametrize("hosts", ["db1,", ",", "db1 db2", "db1,no host"])
def test_what_is_no_list_is_refused(hosts):
    with pytest.raises(SettingsError, match="DB_HOST: must be"), settings_with(DB_HOST=hosts):
        get_settings()


@pytest.mark.parametrize("hosts", ["", "a,b"])
@pytest.mark.parametrize("pooler", ["pgbouncer", "pgbouncer-prepared"])
def test_a_pooler_needs_one_host(pooler, hosts):
    """PgBouncer 1.18 and 1.25 tell libpq after a failover what a server was before."""
    needed = pytest.raises(SettingsError, match="DB_POOLER needs DB_HOST, one address that always")
    with needed, settings_with(DB_POOLER=pooler, DB_HOST=hosts):
        get_settings()
