"""What may be wrong with the folder that DATA_DIR names, in a sentence with its remedy."""

import getpass
import shutil
from pathlib import Path

# A new cluster takes 65 MB, and its first tables and their write-ahead log some more.
NEW_CLUSTER_MB = 100
REMEDY = "or name another folder in DATA_DIR."


def access_fault(folder: Path, error: OSError) -> str:
    """The fault may be above the folder or inside it: `error` names the place."""
    remedy = "Mend that"
    if isinstance(error, PermissionError):
        remedy = f"Give it to the user {getpass.getuser()}"
    return f"GopherTalk cannot work in {folder}: {error}. {remedy}, {REMEDY}"


def space_fault(folder: Path) -> str | None:
    """None if the disk has room for a new cluster in the folder, which is there already."""
    free = shutil.disk_usage(folder).free // 1_000_000
    if free >= NEW_CLUSTER_MB:
        return None
    return (
        f"A new PostgreSQL needs {NEW_CLUSTER_MB} MB, and the disk of {folder} has {free} MB "
        f"free. Free some, {REMEDY}"
    )


def server_fault(folder: Path, words: str) -> str:
    """What to print when PostgreSQL ended with these words."""
    if "No space left on device" in words:
        return f"The disk of {folder} is full, and PostgreSQL cannot start. Free some, {REMEDY}"
    return words
