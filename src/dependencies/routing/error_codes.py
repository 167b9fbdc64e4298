"""Which code an answer carries: `dto/error_codes.py` lists them all."""

from fnmatch import fnmatchcase

from dto.error_codes import CODE_OF_STATUS, SPECIAL_CODES


def codes_of(status: int) -> list[str]:
    """All codes that an answer with this status may carry; the general one first."""
    return [CODE_OF_STATUS[status], *SPECIAL_CODES.get(status, ())]


def code_of(status: int, sentence: str = "") -> str:
    """For an answer whose code nobody has named."""
    for code, words in SPECIAL_CODES.get(status, {}).items():
        if fnmatchcase(sentence, words):
            return code
    return CODE_OF_STATUS.get(status, CODE_OF_STATUS[400 if status < 500 else 500])
