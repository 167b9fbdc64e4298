"""Creates the administrator, once: the same as `manage.py create-superuser`."""

import entry

if __name__ == "__main__":
    entry.begin()
    from commands import command_line

    command_line.run("create-superuser")
