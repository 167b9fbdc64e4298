"""All faults of the settings in one line that says what is allowed."""

from collections.abc import Mapping

from annotated_types import Ge, Gt, Le
from pydantic import ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

Fields = Mapping[str, FieldInfo]

# What pydantic finds wrong, in words that say what is allowed.
ALLOWED = {
    "bool_parsing": "must be true or false",
    "int_parsing": "must be a whole number{range}",
    "float_parsing": "must be a number{range}",
    "finite_number": "must be a number{range}",
    "greater_than_equal": "must be a number{range}",
    "less_than_equal": "must be a number{range}",
    "greater_than": "must be a number{range}",
    "string_pattern_mismatch": "may have letters, digits and . : - _ alone, 200 at most",
}


def sentence(error: ValidationError, fields: Fields) -> str:
    """Names every fault by its variable, and leaves out what was given: it may be a secret."""
    faults: list[str] = []
    for fault in error.errors(include_input=False, include_url=False):
        # Where several do not agree, their own words name them.
        name = "".join(f"{part}: ".upper() for part in fault["loc"][:1])
        faults.append(name + _words(fault, fields))
    return "Wrong settings: " + "; ".join(faults)


def _words(fault: ErrorDetails, fields: Fields) -> str:
    words = ALLOWED.get(fault["type"], fault["msg"].removeprefix("Value error, "))
    if "{range}" not in words:
        return words
    return words.format(range=_range_of(fields[str(fault["loc"][0])]))


def _range_of(field: FieldInfo) -> str:
    bounds = field.metadata
    low = [f" from {each.ge}" for each in bounds if isinstance(each, Ge)]
    low += [f" over {each.gt}" for each in bounds if isinstance(each, Gt)]
    high = [f" to {each.le}" for each in bounds if isinstance(each, Le)]
    return "".join(low + high)
