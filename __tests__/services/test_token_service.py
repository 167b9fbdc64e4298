"""One-time tokens: what they look like, and that they are kept by their hash."""

import re
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from unittest.mock import patch

import pytest

from repositories.sql import execute, fetch_all
from services import token_service

FORMAT = re.compile(r"[0-9]{6}:[A-Za-z0-9_-]{20,}")


class TestNewToken:
    def test_each_of_many_has_the_format_and_is_new(self):
        tokens = [token_service.new_token() for _ in range(300)]

        assert [token for token in tokens if not FORMAT.fullmatch(token)] == []
        assert len({token.partition(":")[2] for token in tokens}) == 300

    @pytest.mark.parametrize(
        ("number", "digits"),
        [(0, "000000"), (7, "000007"), (99_999, "099999"), (999_999, "999999")],
    )
    def test_the_number_keeps_its_leading_zeros(self, number, digits):
        with patch("secrets.randbelow", return_value=number):
            token = token_service.new_token()

        assert token.startswith(f"{digits}:")
        assert FORMAT.fullmatch(token)


class TestService:
    def test_tokens_with_leading_zeros_are_as_good_as_any(self, db):
        with patch("secrets.randbelow", return_value=42):
            token = token_service.issue(60)

        assert token.startswith("000042:")
        assert token_service.is_valid(token)
        assert not token_service.is_valid(token.removeprefix("0000"))

    def test_what_is_stored_gives_no_token_away(self, db):
        token = token_service.issue(60)
        stored = repr(fetch_all("SELECT * FROM tokens"))

        assert token not in stored
        assert token.partition(":")[2] not in stored

    def test_clearing_removes_the_expired_alone(self, db):
        old, young = token_service.issue(60), token_service.issue(60)
        digest = sha256(old.encode()).digest()
        execute("UPDATE tokens SET expires_at = now() WHERE token_hash = %s", (digest,))
        token_service.clear_expired()

        assert len(fetch_all("SELECT 1 FROM tokens")) == 1
        assert [token_service.is_valid(token) for token in (old, young)] == [False, True]

    def test_two_hundred_at_once_issue_and_validate_without_an_error(self, db):
        def issue_and_check(_: int) -> bool:
            return token_service.is_valid(token_service.issue(60))

        with ThreadPoolExecutor(200) as threads:
            assert list(threads.map(issue_and_check, range(200))) == [True] * 200
