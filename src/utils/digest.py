"""What is kept of a secret text: it can be recognised, but not read back."""

import hmac
from hashlib import sha256


def sha256_of(text: str) -> bytes:
    """32 bytes. A text that is not valid Unicode has a digest, too."""
    return sha256(text.encode(errors="replace")).digest()


def keyed_digest_of(text: str, secret: str) -> str:
    """Of a password or another text that could be guessed: of no use without our secret."""
    return hmac.new(secret.encode(), text.encode(), sha256).hexdigest()
