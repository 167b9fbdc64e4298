"""What our migrations make of rows that were there before them."""

import json
import shutil
from secrets import token_hex

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from config import db
from migrations.files import MIGRATIONS_DIR
from migrations.runner import migrate


@pytest.fixture
def migrate_to(database, tmp_path):
    """Brings a schema of its own to this version; gives a connection to it."""
    conninfo = conninfo_to_dict(db.pool.conninfo())
    del conninfo["connect_timeout"]
    name = f"own_{token_hex(4)}"
    with psycopg.connect(**conninfo, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(name)))
        # pg_trgm is in `public` already.
        conninfo |= {"options": f"-c search_path={name},public"}
        with psycopg.connect(**conninfo, autocommit=True) as own:

            def migrate_to(version):
                for path in MIGRATIONS_DIR.glob("*.sql"):
                    if int(path.name[:4]) <= version:
                        shutil.copy(path, tmp_path)
                migrate(conninfo, tmp_path)
                return own

            yield migrate_to
        conn.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(name)))


USER = """
    INSERT INTO users (user_name, first_name, last_name, password_hash)
    VALUES ('gopher_anna', 'Anna', 'Petrova', 'x')
"""
ORDER_ID = "0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b"


def test_an_order_made_with_a_key_before_keeps_its_answer(migrate_to):
    conn = migrate_to(9)
    conn.execute(USER)
    conn.execute("INSERT INTO products (name, price) VALUES ('Mug', 10.10)")
    conn.execute(
        """
        WITH o AS (
            INSERT INTO orders (id, user_id, total_price, status, created_at)
            VALUES (%s, 1, 20.20, 'PAID', '2026-11-21 12:00+00')
            RETURNING id
        ), i AS (
            INSERT INTO order_items (order_id, position, product_id, name, price, quantity)
            SELECT id, 1, 1, 'Mug', 10.10, 2 FROM o
        )
        INSERT INTO idempotency_keys (user_id, key, request_hash, order_id)
        SELECT 1, 'once', '\\x00', id FROM o
        """,
        (ORDER_ID,),
    )
    migrate_to(10)

    [(endpoint, answer)] = conn.execute("SELECT endpoint, answer FROM idempotency_keys").fetchall()
    assert endpoint == "/api/orders"
    assert json.loads(answer) == {
        "id": ORDER_ID,
        "user_id": 1,
        "items": [{"product_id": 1, "name": "Mug", "price": "10.10", "quantity": 2}],
        "total_price": "20.20",
        "status": "PENDING",
        "created_at": "2026-11-21T12:00:00Z",
        "updated_at": "2026-11-21T12:00:00Z",
    }


def test_moderators_that_somebody_has_made_before_become_the_built_in_ones(migrate_to):
    conn = migrate_to(10)
    conn.execute(USER)
    conn.execute("INSERT INTO permissions (resource, action) VALUES ('report', 'read')")
    conn.execute("INSERT INTO roles (name, description) VALUES ('moderator', 'Ours')")
    conn.execute(
        """
        WITH given AS (
            INSERT INTO user_roles (user_id, role_id)
            SELECT 1, id FROM roles WHERE name = 'moderator'
        )
        INSERT INTO role_permissions (role_id, permission_id)
        SELECT r.id, p.id
        FROM roles r, permissions p
        WHERE r.name = 'moderator' AND p.action = 'read' AND p.resource IN ('audit', 'report')
        """
    )
    migrate_to(11)

    moderators = conn.execute(
        """
        SELECT r.description, r.is_builtin, bool_and(p.is_builtin),
               array_agg(p.resource || ':' || p.action ORDER BY p.resource, p.action)
        FROM user_roles ur
        JOIN roles r ON r.id = ur.role_id
        JOIN role_permissions rp ON rp.role_id = r.id
        JOIN permissions p ON p.id = rp.permission_id
        GROUP BY r.id
        """
    ).fetchall()
    held = ["audit:read", "post:delete_any", "report:read", "report:resolve"]
    assert moderators == [("Ours", True, True, held)]
