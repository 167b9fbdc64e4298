"""Fills an empty database with a demo community: the same as `manage.py seed-demo`."""

import entry

if __name__ == "__main__":
    entry.begin()
    from commands import command_line

    command_line.run("seed-demo")
