#!/usr/bin/env python3
"""GopherTalk's command line: `python3 src/manage.py --help` shows all that it can do."""

import entry

if __name__ == "__main__":
    entry.begin()
    from commands import command_line

    command_line.run()
