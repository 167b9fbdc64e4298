"""The OpenAPI document without a server."""

import json
from pathlib import Path

from config.startup import exit_with


def print_openapi(output: Path | None) -> None:
    """To the file, else to the standard output."""
    from app import app  # reads the settings, and ends with a sentence if they are wrong

    document = json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"
    if output is None:
        print(document, end="")
        return
    try:
        output.write_text(document, encoding="utf-8")
    except OSError as error:
        exit_with(f"{output} cannot be written: {error.strerror}.")
