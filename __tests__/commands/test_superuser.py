"""Who has the administrator's name already."""

import pytest

from commands import superuser
from services.access_rules import SYSTEM, acting_as


@pytest.fixture
def create(db):
    def create(user_name):
        with acting_as(SYSTEM):
            return superuser.create(user_name, "gopher1!")

    return create


def test_a_second_time_changes_nothing(create):
    assert (create("admin"), create("admin")) == (True, False)


@pytest.mark.parametrize("columns", [{}, {"is_superuser": True, "status": 0}])
def test_anybody_else_of_that_name_is_an_error_that_names_the_remedy(
    columns, create, person, capsys
):
    person("admin", **columns)
    with pytest.raises(SystemExit, match="2"):
        create("admin")

    assert capsys.readouterr().err.endswith(
        "There is a user admin who is no active superuser. Choose another name with --user-name.\n"
    )
