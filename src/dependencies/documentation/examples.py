"""Examples for /openapi.json: what to send so that it works, and what comes back.

They are taken from the models and parameters; a route adds its own with `request_examples`.
"""

from typing import Any, cast

Json = dict[str, Any]

# Keys of `openapi_extra` that the document does not have in the end.
BODIES, PATH_VALUES = "x-bodies", "x-path-values"
# Of the text "x".
NOT_A_UUID = "Input should be a valid UUID, invalid character: found `x` at 0"


def request_examples(bodies: Json | None = None, path: Json | None = None) -> Json:
    """For `openapi_extra=` of a route whose model and parameters give no example that works.

    `bodies`: the title of an example and the body to send. `path`: a parameter and its value.
    """
    return {BODIES: bodies or {}, PATH_VALUES: path or {}}


def add_examples(operation: Json, schemas: Json) -> None:
    """One for every value in the path, for the body, and for the body of every answer."""
    path_values, bodies = operation.pop(PATH_VALUES, {}), operation.pop(BODIES, {})
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path":
            known = path_values.get(parameter["name"])
            parameter["example"] = known or _example(parameter["schema"], schemas)
    for content in operation.get("requestBody", {}).get("content", {}).values():
        if bodies:
            content["examples"] = {name: {"value": value} for name, value in bodies.items()}
        else:
            content["example"] = _example(content["schema"], schemas)
    for status, answer in operation["responses"].items():
        if status == "422":
            answer["content"]["application/json"]["example"] = _invalid_input(operation, schemas)
        for content in answer.get("content", {}).values():
            content.setdefault("example", _example(content.get("schema", {}), schemas))


def _invalid_input(operation: Json, schemas: Json) -> Json:
    """What the operation answers to a body without a field, or to a wrong parameter."""
    kind, where, field, words = _fault(operation, schemas)
    fault = {"type": kind, "loc": [where, field], "msg": words}
    return {"detail": [fault], "error": f"{field}: {words}"}


def _fault(operation: Json, schemas: Json) -> tuple[str, str, str, str]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        match _resolved(content["schema"], schemas):
            case {"required": [field, *_]}:
                return "missing", "body", field, "Field required"
            case _:
                return "extra_forbidden", "body", "surprise", "Extra inputs are not permitted"
    parameters = operation["parameters"]
    if any(each["name"] == "limit" for each in parameters):
        return "greater_than_equal", "query", "limit", "Input should be greater than or equal to 1"
    first = parameters[0]
    if first["schema"].get("format") == "uuid":
        return "uuid_parsing", first["in"], first["name"], NOT_A_UUID
    return "value_error", first["in"], first["name"], "Input should be a valid integer"


def _resolved(schema: Json, schemas: Json) -> Json:
    match schema:
        case {"$ref": reference}:
            return schemas[reference.rpartition("/")[2]]
        case {"anyOf": [first, *_]}:
            return _resolved(first, schemas)
        case _:
            return schema


def _example(schema: Json, schemas: Json) -> Any:
    """What the examples in a schema add up to; None where there is none."""
    match schema:
        case {"$ref": reference}:
            return _example(schemas[reference.rpartition("/")[2]], schemas)
        case {"example": value} | {"examples": [value, *_]}:
            return _in_order(value, schema, schemas)
        case {"anyOf": [first, *_]}:
            return _example(first, schemas)
        case {"items": items}:
            return [_example(items, schemas)]
        case {"properties": properties}:
            fields = {name: _example(field, schemas) for name, field in properties.items()}
            return {name: value for name, value in fields.items() if value is not None}
        case _:
            return None


def _in_order(value: Any, schema: Json, schemas: Json) -> Any:
    """The value with its fields in the order of the schema; pydantic sorts examples by name."""
    match value, schema:
        case _, {"$ref": reference}:
            return _in_order(value, schemas[reference.rpartition("/")[2]], schemas)
        case dict(), {"properties": properties}:
            return {
                name: _in_order(value[name], field, schemas)
                for name, field in properties.items()
                if name in value
            }
        case list(), {"items": items}:
            return [_in_order(each, items, schemas) for each in cast(list[Any], value)]
        case _:
            return value
