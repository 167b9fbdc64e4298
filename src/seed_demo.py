"""Fills an empty database with a demo community: the same as `manage.py seed-demo`."""

import entry

if __name__ == "__main__":
    entry.run("seed-demo")
