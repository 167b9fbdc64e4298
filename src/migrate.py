"""Brings the database up to date and ends: the same as `manage.py migrate`."""

import entry

if __name__ == "__main__":
    entry.begin()
    from commands import command_line

    command_line.run("migrate")
