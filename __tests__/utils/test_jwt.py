"""Tokens: what we sign can be read, and nothing else can. Hostile ones are made by hand here."""

import hashlib
import hmac
import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from unittest.mock import patch

import pytest

from utils import jwt

SECRET = "access-secret-of-thirty-two-bytes-or-more"
OTHER_SECRET = "refresh-secret-of-thirty-two-bytes-or-more"
HEADER = {"alg": "HS256", "typ": "JWT"}
SESSION = "0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b"
CLAIMS = {
    "sub": "7",
    "exp": 9999999999,
    "iat": 1,
    "jti": "j1",
    "type": "access",
    "sid": SESSION,
}


def encode(part: object) -> str:
    raw = part.encode() if isinstance(part, str) else json.dumps(part).encode()
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def token(claims: object = CLAIMS, header: object = HEADER, digest: str = "sha256") -> str:
    """Signed with SECRET. A part given as text is taken as it is."""
    signed = f"{encode(header)}.{encode(claims)}"
    signature = hmac.digest(SECRET.encode(), signed.encode(), digest)
    return f"{signed}.{urlsafe_b64encode(signature).rstrip(b'=').decode()}"


def claims_without(name: str) -> dict:
    return {key: value for key, value in CLAIMS.items() if key != name}


class TestSign:
    def test_the_claims_come_back(self):
        with patch("utils.jwt.time", return_value=1000.9):
            signed = jwt.sign(7, SESSION, "refresh", SECRET, 60)
            claims = jwt.read(signed, "refresh", SECRET)

        jti = claims.pop("jti")
        assert claims == {"sub": "7", "exp": 1060, "iat": 1000, "type": "refresh", "sid": SESSION}
        assert len(jti) == 32

    def test_no_two_tokens_are_equal(self):
        with patch("utils.jwt.time", return_value=1000):
            assert len({jwt.sign(7, SESSION, "access", SECRET, 60) for _ in range(5)}) == 5

    def test_header_and_signature_are_those_of_hs256(self):
        head, body, signature = jwt.sign(7, SESSION, "access", SECRET, 60).split(".")

        assert json.loads(urlsafe_b64decode(head + "==")) == HEADER
        expected = hmac.digest(SECRET.encode(), f"{head}.{body}".encode(), hashlib.sha256)
        assert urlsafe_b64decode(signature + "==") == expected

    @pytest.mark.parametrize(
        "secret",
        [
            '{"keys": [{"kty": "oct", "k": "AAAA"}], "x": "12345678901234567890"}',
            '{"kty": "oct", "k": "AAAA", "alg": "HS256"}',
            '"a-text-in-quotes-of-thirty-two-bytes"',
            "12345678901234567890123456789012",
            "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]",
            "ключ из тридцати двух байт и более",
        ],
    )
    def test_a_secret_is_bytes_whatever_it_looks_like(self, secret):
        signed = jwt.sign(7, SESSION, "access", secret, 60)
        head, body, signature = signed.split(".")

        assert jwt.read(signed, "access", secret)["sub"] == "7"
        expected = hmac.digest(secret.encode(), f"{head}.{body}".encode(), hashlib.sha256)
        assert urlsafe_b64decode(signature + "==") == expected
        with pytest.raises(jwt.InvalidToken):
            jwt.read(signed, "access", SECRET)


class TestRead:
    def test_a_token_made_by_hand_is_read(self):
        assert jwt.read(token(), "access", SECRET) == CLAIMS

    def test_claims_that_nobody_asked_for_are_left_out(self):
        extra = {**CLAIMS, "is_superuser": True, "aud": "somebody", "nbf": 2}

        assert jwt.read(token(extra), "access", SECRET) == CLAIMS

    @pytest.mark.parametrize(("now", "good"), [(1059.9, True), (1060, False), (1061, False)])
    def test_a_token_is_good_until_it_expires(self, now, good):
        with patch("utils.jwt.time", return_value=1000):
            signed = jwt.sign(7, SESSION, "access", SECRET, 60)
        with patch("utils.jwt.time", return_value=1000):
            jwt.read(signed, "access", SECRET)  # remembered from here on

        with patch("utils.jwt.time", return_value=now):
            if good:
                assert jwt.read(signed, "access", SECRET)["sub"] == "7"
            else:
                with pytest.raises(jwt.InvalidToken):
                    jwt.read(signed, "access", SECRET)

    @pytest.mark.parametrize("change", [{"type": "refresh"}, {"type": "Access"}])
    def test_another_type_is_refused(self, change):
        with pytest.raises(jwt.InvalidToken):
            jwt.read(token({**CLAIMS, **change}), "access", SECRET)

    def test_another_secret_is_refused(self):
        with pytest.raises(jwt.InvalidToken):
            jwt.read(token(), "access", OTHER_SECRET)

    def test_a_refresh_token_with_the_types_swapped_is_refused(self):
        refresh = jwt.sign(7, SESSION, "refresh", OTHER_SECRET, 60)
        for kind, secret in [("access", OTHER_SECRET), ("refresh", SECRET), ("access", SECRET)]:
            with pytest.raises(jwt.InvalidToken):
                jwt.read(refresh, kind, secret)

    @pytest.mark.parametrize("name", CLAIMS)
    def test_every_claim_is_required(self, name):
        with pytest.raises(jwt.InvalidToken):
            jwt.read(token(claims_without(name)), "access", SECRET)

    def test_every_claim_has_its_own_kind_of_value(self, subtests):
        for name, value in (
            ("sub", 7),
            ("sub", ""),
            ("sub", "-7"),
            ("sub", "gopher_anna"),
            ("sub", "7 "),
            ("sub", "٧"),
            ("sub", "²"),
            ("sub", "1" * 20),
            ("sub", None),
            ("sub", ["7"]),
            ("exp", "9999999999"),
            ("exp", 9999999999.5),
            ("exp", True),
            ("exp", None),
            ("exp", []),
            ("iat", "1"),
            ("iat", None),
            ("jti", 1),
            ("jti", {}),
            ("type", None),
            ("type", ["access"]),
            ("sid", 1),
            ("sid", None),
            ("sid", ""),
            ("sid", "s1"),
            ("sid", "0" * 36),
            ("sid", SESSION.upper()),
            ("sid", SESSION.replace("-", "")),
            ("sid", f"{{{SESSION}}}"),
            ("sid", f"{SESSION}\n"),
            ("sid", f"{SESSION}0"),
            ("sid", "\u0660" + SESSION[1:]),
        ):
            with subtests.test(f"{name}: {value!r}"), pytest.raises(jwt.InvalidToken):
                jwt.read(token({**CLAIMS, name: value}), "access", SECRET)

    @pytest.mark.parametrize("number", ["1e400", "-1e400", "NaN", "Infinity", "1e3"])
    def test_an_expiry_that_is_no_whole_number_is_refused(self, number):
        raw = json.dumps(CLAIMS).replace("9999999999", number)
        with pytest.raises(jwt.InvalidToken):
            jwt.read(token(raw), "access", SECRET)

    @pytest.mark.parametrize(
        ("header", "digest"),
        [
            ({"alg": "HS384", "typ": "JWT"}, "sha384"),
            ({"alg": "HS512", "typ": "JWT"}, "sha512"),
            ({"alg": "HS512", "typ": "JWT"}, "sha256"),
            ({"alg": "none"}, "sha256"),
            ({"alg": "None"}, "sha256"),
            ({"alg": "hs256"}, "sha256"),
            ({"alg": "RS256"}, "sha256"),
            ({"alg": ["HS256"]}, "sha256"),
            ({"alg": None}, "sha256"),
            ({"typ": "JWT"}, "sha256"),
            ({**HEADER, "crit": ["exp"]}, "sha256"),
            ({**HEADER, "crit": []}, "sha256"),
            ([HEADER], "sha256"),
            ("[" * 1000, "sha256"),
            ("[" * 1000 + "]" * 1000, "sha256"),
            ("not json", "sha256"),
            ("", "sha256"),
        ],
        ids=lambda value: str(value)[:30],
    )
    def test_another_header_is_refused(self, header, digest):
        with pytest.raises(jwt.InvalidToken):
            jwt.read(token(header=header, digest=digest), "access", SECRET)

    @pytest.mark.parametrize("claims", ["[]", '"text"', "null", "7", "not json", "", "[" * 1000])
    def test_claims_that_are_no_object_are_refused(self, claims):
        with pytest.raises(jwt.InvalidToken):
            jwt.read(token(claims), "access", SECRET)

    @pytest.mark.parametrize("alg", ["none", "None", "NONE", "HS256"])
    @pytest.mark.parametrize("signature", ["", "AAAA"])
    def test_an_unsigned_token_is_refused(self, alg, signature):
        unsigned = f"{encode({'alg': alg, 'typ': 'JWT'})}.{encode(CLAIMS)}.{signature}"
        with pytest.raises(jwt.InvalidToken):
            jwt.read(unsigned, "access", SECRET)

    @pytest.mark.parametrize("position", [0, 1, 2])
    def test_a_token_with_one_part_of_another_is_refused(self, position):
        mine, other = token().split("."), token({**CLAIMS, "sub": "8"}, {"alg": "HS256"}).split(".")
        mixed = [*mine[:position], other[position], *mine[position + 1 :]]
        with pytest.raises(jwt.InvalidToken):
            jwt.read(".".join(mixed), "access", SECRET)

    @pytest.mark.parametrize(
        "junk",
        ["", ".", "..", "...", "x", "a.b", "a.b.c", "a.b.c.d.e", "é.é.é", "\ud800.a.b", "\0", " "],
    )
    def test_junk_is_refused(self, junk):
        with pytest.raises(jwt.InvalidToken):
            jwt.read(junk, "access", SECRET)

    @pytest.mark.parametrize(
        "spelling",
        [
            lambda good: good + "=",
            lambda good: good + "\n",
            lambda good: " " + good,
            lambda good: good + ".",
            lambda good: "." + good,
            lambda good: good + ".e30",
            lambda good: good[:-5] + "\n" + good[-5:],
            lambda good: good[:-5] + "!" + good[-5:],
            lambda good: good.replace(".", ".=", 1),
            lambda good: good.replace(".", "..", 1),
            lambda good: f'"{good}"',
        ],
    )
    def test_a_good_token_spelt_otherwise_is_refused_unread(self, spelling):
        """The library skips what is no base64; then one token could be spelt in many ways."""
        good = token({**CLAIMS, "jti": "spelt"})
        assert jwt.read(good, "access", SECRET)["jti"] == "spelt"
        with patch("utils.jwt.jose_jwt.decode") as decode, pytest.raises(jwt.InvalidToken):
            jwt.read(spelling(good), "access", SECRET)

        decode.assert_not_called()

    @pytest.mark.parametrize("junk", ["x" * 8192, "a.b." + "c" * 8192, "." * 8192])
    def test_eight_kilobytes_are_refused_unread(self, junk):
        with patch("utils.jwt.jose_jwt.decode") as decode, pytest.raises(jwt.InvalidToken):
            jwt.read(junk, "access", SECRET)

        decode.assert_not_called()

    def test_a_good_token_over_four_kilobytes_is_refused_too(self):
        long = token({**CLAIMS, "padding": "x" * 4000})
        assert len(long) > 4096
        with pytest.raises(jwt.InvalidToken):
            jwt.read(long, "access", SECRET)

    def test_what_the_library_raises_is_the_cause_and_not_the_message(self):
        with (
            patch("utils.jwt.jose_jwt.decode", side_effect=RecursionError("deep")),
            pytest.raises(jwt.InvalidToken) as caught,
        ):
            jwt.read(token({**CLAIMS, "jti": "unseen"}), "access", SECRET)

        assert isinstance(caught.value.__cause__, RecursionError)
        assert "deep" not in str(caught.value)

    def test_the_claims_that_are_handed_out_are_the_readers_own(self):
        good = token({**CLAIMS, "jti": "j2"})
        jwt.read(good, "access", SECRET)["sub"] = "1"

        assert jwt.read(good, "access", SECRET)["sub"] == "7"
