"""Examples for /openapi.json: requests that work as they stand, and what comes back.

They are taken from the models and parameters; a route adds its own with `request_examples`.
"""

import re
from typing import Any, cast

Json = dict[str, Any]

# A key of `openapi_extra` that the finished document does not have.
PATH_VALUES = "x-path-values"
# The fault of the text `x` where another type is asked for.
WRONG_TYPE = {
    "integer": ("value_error", "Input should be a valid integer"),
    "uuid": ("uuid_parsing", "Input should be a valid UUID, invalid character: found `x` at 0"),
}


def request_examples(bodies: Json | None = None, path: Json | None = None) -> Json:
    """For `openapi_extra=` of a route whose model and parameters give no example that works.

    `bodies`: the title of an example and the body to send. `path`: a parameter and its value.
    """
    extra: Json = {PATH_VALUES: path or {}}
    if bodies:
        named = {title: {"value": body} for title, body in bodies.items()}
        extra["requestBody"] = {"content": {"application/json": {"examples": named}}}
    return extra


def add_examples(operation: Json, schemas: Json) -> None:
    """One for every value in the path, for the body, and for the body of every answer."""
    path_values = operation.pop(PATH_VALUES, {})
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            known = path_values.get(parameter["name"])
            parameter["example"] = _example(parameter["schema"], schemas, known)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if "examples" not in content:
            content["example"] = _example(content["schema"], schemas)
    invalid_input = _invalid_input(operation, schemas)
    if invalid_input is None:  # FastAPI documents a 422 for every parameter, also for any text
        operation["responses"].pop("422", None)
    for status, answer in operation["responses"].items():
        for content in answer.get("content", {}).values():
            given = invalid_input if status == "422" else None
            content.setdefault("example", _example(content.get("schema", {}), schemas, given))


def _invalid_input(operation: Json, schemas: Json) -> Json | None:
    """What the operation answers to a body without its first field or with an unknown one, or to
    `x` as a parameter; None if it takes nothing that can be wrong."""
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        required = _model(schema.get("anyOf", [schema])[0], schemas).get("required")
        if required:
            return _fault("missing", "body", required[0], "Field required")
        return _fault("extra_forbidden", "body", "surprise", "Extra inputs are not permitted")
    # A guard may look at a value in the path before it is checked.
    for parameter in sorted(operation.get("parameters", ()), key=lambda each: each["in"] == "path"):
        schema = parameter["schema"]
        schema = schema.get("anyOf", [schema])[0]
        wrong = WRONG_TYPE.get(schema.get("format", schema.get("type")))
        if wrong:
            return _fault(wrong[0], parameter["in"], parameter["name"], wrong[1])
        pattern = schema.get("pattern", "")
        if not re.search(pattern, "x"):
            sentence = f"String should match pattern '{pattern}'"
            return _fault("string_pattern_mismatch", parameter["in"], parameter["name"], sentence)
    return None


def _fault(kind: str, where: str, field: str, sentence: str) -> Json:
    fault = {"type": kind, "loc": [where, field], "msg": sentence}
    return {"detail": [fault], "error": f"{field}: {sentence}"}


def _model(schema: Json, schemas: Json) -> Json:
    """What a `$ref` names; any other schema is itself."""
    return schemas[schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema


def _example(schema: Json, schemas: Json, given: Any = None) -> Any:
    """`given`, or what the examples in the schema add up to; fields in the schema's order, for
    pydantic sorts those of an example by name. None where there is no example."""
    if given is None:
        given = schema.get("example", next(iter(schema.get("examples", ())), None))
    match schema:
        case {"$ref": _}:
            return _example(_model(schema, schemas), schemas, given)
        case {"anyOf": [first, *_]}:
            return _example(first, schemas, given)
        case {"items": items}:
            return [_example(items, schemas, row) for row in ([None] if given is None else given)]
        case {"properties": properties} if given:
            fields = cast(Json, given)
            return {
                name: _example(properties[name], schemas, fields[name])
                for name in properties
                if name in fields
            }
        case {"properties": properties}:
            fields = {
                name: _example(field, schemas)
                for name, field in properties.items()
                if not field.get("readOnly")  # a client need not send it
            }
            return {name: value for name, value in fields.items() if value is not None}
        case _:
            return given
