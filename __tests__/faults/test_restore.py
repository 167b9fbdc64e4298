"""A backup is restored while clients use the server."""

from time import monotonic

from live_server import NO_LIMITS
from load import back_after, tally
from programs import run

REFUSED = {("health-check", 500), ("like", 404)}  # the post of a moment ago is in no backup


def test_a_backup_restored_under_load(start_server, postgres, new_load, note, tmp_path):
    database, file = postgres.new_database(), str(tmp_path / "file.dump")
    settings = {**database.settings(), "DATA_DIR": str(tmp_path / "data")}
    server = start_server(**database.settings(), **NO_LIMITS).wait_until_ready()
    with new_load(server, database) as load:
        assert run("manage.py", "backup", file, **settings).returncode == 0
        load.go_on(1.0)
        began = monotonic()
        restored = run("manage.py", "restore", file, **settings)
        back = monotonic()
        load.go_on(4.0)

    assert restored.returncode == 0, restored.stderr
    during = load.answers(since=began)
    wrong = {(each.what, each.status) for each in during if not each.good and each.status != 503}
    assert wrong <= REFUSED
    worst, recovery = max(each.seconds for each in during), back_after(during, back)
    note("a backup restored", tally(during), worst, recovery)
