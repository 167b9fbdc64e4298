"""The consumer, a program of its own: the same as `manage.py worker`."""

import entry

if __name__ == "__main__":
    entry.run("worker")
