"""What is kept of a secret text: it can be recognised, but not read back."""

from hashlib import sha256


def sha256_of(text: str) -> bytes:
    """32 bytes. A text that is not valid Unicode has a digest, too."""
    return sha256(text.encode(errors="replace")).digest()
