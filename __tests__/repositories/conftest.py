"""Users for the tests that ask the real PostgreSQL."""

import pytest


@pytest.fixture
def new_user(db):
    """Create a user: `new_user("gopher_carl", email=...)`; returns the repository's row."""
    from repositories import user_repository

    def new_user(user_name, **fields):
        return user_repository.create_user(
            {
                "user_name": user_name,
                "first_name": "Name",
                "last_name": "Surname",
                "password_hash": f"hash of {user_name}",
                **fields,
            }
        )

    return new_user


@pytest.fixture
def anna(new_user):
    """Her id."""
    return new_user("gopher_anna", first_name="Anna", last_name="Petrova")["id"]


@pytest.fixture
def boris(new_user):
    """His id."""
    return new_user("gopher_boris", first_name="Борис", last_name="Иванов")["id"]


@pytest.fixture
def rolled_back(db):
    """Call a function with a connection whose transaction then fails."""
    from repositories.sql import transaction

    def rolled_back(call):
        def fail():
            with transaction() as conn:
                call(conn)
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            fail()

    return rolled_back
