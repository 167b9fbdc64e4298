"""The consumer, a program of its own: the same as `manage.py worker`."""

import entry

if __name__ == "__main__":
    entry.begin()
    from commands import command_line

    command_line.run("worker")
