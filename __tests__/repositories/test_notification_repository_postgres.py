"""Who is told what, on a real PostgreSQL."""

import pytest

from repositories.sql import fetch_all

NAMES = [
    ("@anna_b", ["anna_b"]),
    ("Hello @anna_b, hello @boris", ["anna_b", "boris"]),
    ("@anna_b.", ["anna_b"]),
    ("@anna_b...", ["anna_b"]),
    (".@anna_b", ["anna_b"]),
    ("Спасибо,@anna_b!", ["anna_b"]),
    ("(@anna_b)", ["anna_b"]),
    ("«@anna_b»", ["anna_b"]),
    ("@anna_b-то знает", ["anna_b"]),
    ("@anna_b's post", ["anna_b"]),
    ("@anna_b\n@boris", ["anna_b", "boris"]),
    ("@anna_b.@boris", ["anna_b", "boris"]),
    ("@anna_b @anna_b", ["anna_b"]),
    ("@Anna_B", ["Anna_B"]),
    ("@_anna", ["_anna"]),
    ("@" + "a" * 30, ["a" * 30]),
    ("@" + "a" * 31, []),
    ("@anna", []),
    ("@1anna", []),
    ("@ anna_b", []),
    ("x@anna_b", []),
    ("ж@anna_b", []),
    ("_@anna_b", []),
    ("7@anna_b", []),
    ("@@anna_b", []),
    ("@anna_bж", []),
    ("@anna_b\u0301", []),
    ("@anna_b@example.org", []),
    ("@example.org", []),
    ("@mail-host.example", []),
    ("@example.рф", []),
    ("https://talk.example/@anna_b", []),
    ("https://talk.example/?who=@anna_b", []),
    (" ".join(f"@name_{n}" for n in range(12)), [f"name_{n}" for n in range(10)]),
    (" ".join(["@name_1"] * 11 + ["@name_2"]), ["name_1", "name_2"]),
    (None, []),
]


@pytest.mark.parametrize(("text", "names"), NAMES)
def test_the_names_in_a_text(db, text, names):
    rows = fetch_all("SELECT user_name FROM mentioned_names(%s)", (text,))
    assert [row["user_name"] for row in rows] == names
