"""Who acts, as the guards and the services know it."""

from typing import NotRequired

from typing_extensions import TypedDict


class Caller(TypedDict):
    """The claims of the access token (`sub` is the user's id as text, "0" for a guest; `exp` the
    token's end, `sid` the session's id), and what the user is and may do."""

    sub: str
    exp: int
    sid: NotRequired[str]
    user_name: NotRequired[str]
    is_superuser: NotRequired[bool]
    permissions: NotRequired[frozenset[str]]
