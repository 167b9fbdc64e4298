"""Creates the administrator, once: the same as `manage.py create-superuser`."""

import entry

if __name__ == "__main__":
    entry.run("create-superuser")
