"""The migration files: their numbers, their format, their checksums. No database."""

import pytest

from migrations.files import MigrationError, load_migrations

UP = "-- migrate:up\nSELECT 1;\n"


@pytest.fixture
def load(tmp_path):
    """Load a folder with these files."""

    def load(**files):
        for name, content in files.items():
            data = content if isinstance(content, bytes) else content.encode()
            (tmp_path / f"{name.removeprefix('_')}.sql").write_bytes(data)
        return load_migrations(tmp_path)

    return load


def test_the_projects_own_files_load():
    migrations = load_migrations()

    assert [each.version for each in migrations] == list(range(1, len(migrations) + 1))
    assert migrations[0].name == "0001_talk"
    assert "CREATE TABLE users" in migrations[0].sql


def test_files_come_in_order(load):
    migrations = load(_0002_b=UP, _0001_a=UP, _0003_c=UP)

    assert [(each.version, each.name) for each in migrations] == [
        (1, "0001_a"),
        (2, "0002_b"),
        (3, "0003_c"),
    ]


def test_an_empty_folder_has_none(load):
    assert load() == []


@pytest.mark.parametrize(
    "files",
    [
        {"_0002_b": UP},
        {"_0000_a": UP, "_0001_b": UP},
        {"_0001_a": UP, "_0003_c": UP},
        {"_0001_a": UP, "_0001_b": UP},
    ],
    ids=lambda files: " ".join(files),
)
def test_numbers_that_are_not_in_a_row_are_refused(load, files):
    with pytest.raises(MigrationError, match="not numbered 0001, 0002"):
        load(**files)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("_0001_a", "SELECT 1;\n"),
        ("_0001_a", ""),
        ("_0001_a", "SELECT '-- migrate:up';\n"),
        ("_0001_a", "-- migrate:down\nDROP TABLE users;\n"),
        ("first", UP),
        ("a_0001", UP),
    ],
)
def test_a_file_without_marker_or_number_is_refused_by_name(load, name, content):
    with pytest.raises(MigrationError, match=name.removeprefix("_")):
        load(**{name: content})


@pytest.mark.parametrize(
    "content",
    [
        "-- migrate:up\nSELECT 1;\n-- migrate:down\nDROP TABLE users;\n",
        "-- a comment\n-- migrate:up transaction:true\nSELECT 1;\n-- migrate:down\n",
        "-- migrate:up\r\nSELECT 1;\r\n-- migrate:down\r\nDROP TABLE users;\r\n",
    ],
)
def test_only_the_part_that_leads_up_is_run(load, content):
    assert load(_0001_a=content)[0].sql.strip() == "SELECT 1;"


def test_line_ends_do_not_count_for_the_checksum(load):
    [unix] = load(_0001_a=UP)
    [windows] = load(_0001_a=UP.replace("\n", "\r\n"))

    assert windows == unix


@pytest.mark.parametrize("changed", [UP + "\n", UP.replace("1", "2"), "-- note\n" + UP])
def test_everything_else_does(load, changed):
    [before] = load(_0001_a=UP)
    [after] = load(_0001_a=changed)

    assert after.checksum != before.checksum


def test_other_files_are_none_of_its_business(load, tmp_path):
    (tmp_path / "README.md").write_text("notes")

    assert len(load(_0001_a=UP)) == 1
