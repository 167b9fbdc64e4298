"""The tag of an answer, by which a client says which version of it it has (RFC 9110, 8.8.3)."""

from hashlib import blake2b

# From this size on an answer is compressed for those who ask for that.
COMPRESSED_FROM_BYTES = 1024


def entity_tag(body: bytes) -> str:
    """Weak for what may be compressed: the same tag then stands for other bytes."""
    weak = "W/" if len(body) >= COMPRESSED_FROM_BYTES else ""
    return f'{weak}"{blake2b(body, digest_size=16).hexdigest()}"'


def is_known(tag: str, if_none_match: str) -> bool:
    """Whether a client with this header has the answer. Weak or not does not matter here."""
    known = _tags(if_none_match)
    return known == ["*"] or tag.removeprefix("W/") in [each.removeprefix("W/") for each in known]


def is_current(tag: str, if_match: str) -> bool:
    """Whether a client with this header has read what is there now. A weak tag proves nothing."""
    read = _tags(if_match)
    return read == ["*"] or (tag in read and not tag.startswith("W/"))


def _tags(header: str) -> list[str]:
    """Ours have no comma in them."""
    return [each.strip() for each in header.split(",")]
