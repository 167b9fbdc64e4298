"""The OpenAPI document without a server."""

import json
from pathlib import Path

from config.startup import exit_with_error


def print_openapi(output: Path | None) -> None:
    """Write it to the file `output`, or print it."""
    from app import app  # here: it reads the settings, and ends the program if they are wrong

    document = json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        print(document, end="")
        return
    try:
        output.write_text(document, encoding="utf-8")
    except OSError as error:
        exit_with_error(f"{output} cannot be written: {error.strerror}.")
