"""Registration, login and renewal: the rules, with nothing opened and nothing stored."""

from contextlib import contextmanager
from unittest.mock import MagicMock, patch

import bcrypt
import pytest

from config.secrets import token_secrets
from services import account_rules, auth_service
from utils import jwt
from utils.errors import Conflict, InvalidCredentials, NotFound, Unavailable

PAIR = {"access_token": "access", "refresh_token": "refresh"}
REGISTRATION = {
    "user_name": "gopher_anna",
    "password": "gopher1!",
    "password_confirm": "gopher1!",
    "first_name": "Anna",
    "last_name": "Petrova",
}
SESSION = "0b5b1c4e-6a52-4a6e-9d0a-0c1c8a7f3f5b"
LOGIN = {"user_name": "gopher_anna", "password": "gopher1!"}


def hash_of(password: bytes) -> str:
    return bcrypt.hashpw(password[:72], bcrypt.gensalt(4)).decode()


@pytest.fixture(autouse=True)
def no_database():
    """The pool as it is before anything is opened, also when other tests have opened it."""
    with patch("config.db.pool", MagicMock(closed=True)) as pool:
        yield pool
        pool.connection.assert_not_called()


@pytest.fixture(autouse=True)
def request_confirmation():
    """No mail is on its way."""
    with patch("services.recovery_service.request_confirmation") as request_confirmation:
        yield request_confirmation


@pytest.fixture
def rounds(monkeypatch):
    """Sets BCRYPT_ROUNDS, which is 4 else."""

    def set_rounds(rounds):
        settings = auth_service.get_settings().model_copy(update={"bcrypt_rounds": rounds})
        for module in (auth_service, account_rules):
            monkeypatch.setattr(module, "get_settings", lambda: settings)

    return set_rounds


class TestRegister:
    def test_creates_the_user_and_answers_with_tokens(self):
        with patch("services.auth_service.create_user", return_value={"id": 7}):
            pair = auth_service.register(REGISTRATION)

        assert pair.keys() == {"access_token", "refresh_token"}
        assert jwt.read(pair["access_token"], "access", token_secrets().access)["sub"] == "7"

    def test_the_repository_gets_a_hash_and_never_the_password(self):
        with (
            patch("services.auth_service.create_user", return_value={"id": 7}) as create_user,
            patch("bcrypt.hashpw", return_value=b"hashed") as hashpw,
        ):
            auth_service.register(REGISTRATION)

        assert hashpw.call_args.args[0] == b"gopher1!"
        create_user.assert_called_once_with(
            {
                "user_name": "gopher_anna",
                "first_name": "Anna",
                "last_name": "Petrova",
                "password_hash": "hashed",
            }
        )

    def test_the_hash_is_one_that_bcrypt_accepts(self):
        with patch("services.auth_service.create_user", return_value={"id": 7}) as create_user:
            auth_service.register(REGISTRATION)

        stored = create_user.call_args.args[0]["password_hash"]
        assert bcrypt.checkpw(b"gopher1!", stored.encode())

    def test_the_hash_has_the_cost_of_the_settings(self, rounds):
        rounds(5)
        with patch("services.auth_service.create_user", return_value={"id": 7}) as create_user:
            auth_service.register(REGISTRATION)

        assert create_user.call_args.args[0]["password_hash"].startswith("$2b$05$")

    @pytest.mark.parametrize(
        "optional",
        [{"middle_name": "Maria"}, {"middle_name": None}, {"email": "anna@example.org"}],
    )
    def test_optional_fields_reach_the_repository_when_they_are_given(self, optional):
        with patch("services.auth_service.create_user", return_value={"id": 7}) as create_user:
            auth_service.sign_up({**REGISTRATION, **optional})

        created = create_user.call_args.args[0]
        assert created.keys() - {"user_name", "first_name", "last_name", "password_hash"} == set(
            optional
        )
        assert optional.items() <= created.items()

    def test_rights_that_were_slipped_in_do_not_reach_the_repository(self):
        flags = {"is_superuser": True, "status": 0, "roles": ["admin"]}
        with patch("services.auth_service.create_user", return_value={"id": 7}) as create_user:
            auth_service.sign_up({**REGISTRATION, **flags})

        assert not flags.keys() & create_user.call_args.args[0].keys()

    def test_signing_up_gives_the_user_and_opens_no_session(self):
        user = {"id": 7, "user_name": "gopher_anna"}
        with (
            patch("services.auth_service.create_user", return_value=user),
            patch("services.auth_service.generate_token_pair") as generate,
        ):
            assert auth_service.sign_up(REGISTRATION) is user

        generate.assert_not_called()

    @pytest.mark.parametrize("function", ["register", "sign_up"])
    def test_an_address_is_to_be_confirmed(self, request_confirmation, function):
        with patch("services.auth_service.create_user", return_value={"id": 7}):
            getattr(auth_service, function)({**REGISTRATION, "email": "anna@example.org"})

        request_confirmation.assert_called_once_with(7, "anna@example.org")

    @pytest.mark.parametrize("optional", [{}, {"email": None}])
    def test_no_address_gets_no_mail(self, request_confirmation, optional):
        with patch("services.auth_service.create_user", return_value={"id": 7}):
            auth_service.sign_up({**REGISTRATION, **optional})

        request_confirmation.assert_not_called()

    def test_a_taken_name_gives_no_tokens_and_no_mail(self, request_confirmation):
        error = Conflict("User already exists")
        with (
            patch("services.auth_service.create_user", side_effect=error),
            patch("services.auth_service.generate_token_pair") as generate,
            pytest.raises(ValueError, match=r"^User already exists$"),
        ):
            auth_service.register({**REGISTRATION, "email": "anna@example.org"})

        generate.assert_not_called()
        request_confirmation.assert_not_called()


class TestLogin:
    def test_the_right_password_gives_tokens_of_that_user(self):
        user = {"id": 7, "user_name": "gopher_anna", "password_hash": hash_of(b"gopher1!")}
        with patch(
            "services.auth_service.get_user_by_username", return_value={**user, "status": 1}
        ) as get_user:
            pair = auth_service.login(LOGIN)

        get_user.assert_called_once_with("gopher_anna")
        assert jwt.read(pair["access_token"], "access", token_secrets().access)["sub"] == "7"

    def test_a_row_of_the_courses_tests_has_no_status_and_logs_in(self):
        user = {"id": 7, "user_name": "gopher_anna", "password_hash": "hashed"}
        with (
            patch("services.auth_service.get_user_by_username", return_value=user),
            patch("bcrypt.checkpw", return_value=True) as checkpw,
            patch("services.auth_service.generate_token_pair", return_value=PAIR) as generate,
        ):
            assert auth_service.login(LOGIN) == PAIR

        checkpw.assert_called_once_with(b"gopher1!", b"hashed")
        generate.assert_called_once_with(7)

    @pytest.mark.parametrize(
        ("row", "password"),
        [
            pytest.param(NotFound("User not found"), "gopher1!", id="unknown name"),
            pytest.param(ValueError("User not found"), "gopher1!", id="the course's unknown name"),
            pytest.param({"status": 1}, "gopher2!", id="wrong password"),
            pytest.param({"status": 1}, "", id="empty password"),
            pytest.param({"status": 0}, "gopher1!", id="deactivated"),
        ],
    )
    def test_whatever_is_wrong_the_answer_and_the_work_are_the_same(self, row, password):
        stored = {"id": 7, "password_hash": hash_of(b"gopher1!")}
        outcome = [row if isinstance(row, Exception) else {**stored, **row}]
        with (
            patch("services.auth_service.get_user_by_username", side_effect=outcome),
            patch("bcrypt.checkpw", side_effect=bcrypt.checkpw) as checkpw,
            pytest.raises(InvalidCredentials) as refused,
        ):
            auth_service.login({**LOGIN, "password": password})

        # The caller is told what the course's tests ask for, a client always the same.
        is_unknown = isinstance(row, Exception)
        assert str(refused.value) == ("User not found" if is_unknown else "Wrong password")
        assert refused.value.public_sentence == "Wrong password"
        checkpw.assert_called_once()
        assert checkpw.call_args.args[1].startswith(b"$2b$04$")

    def test_a_name_that_is_unknown_does_not_log_in_with_the_decoys_password(self):
        with (
            patch("services.auth_service.get_user_by_username", side_effect=NotFound("")),
            patch("bcrypt.checkpw", return_value=True),
            pytest.raises(InvalidCredentials),
        ):
            auth_service.login(LOGIN)

    @pytest.mark.parametrize("password", ["a" * 73, "a" * 200, "я" * 37])
    def test_a_password_over_72_bytes_is_wrong_even_if_its_first_72_are_right(self, password):
        user = {"id": 7, "password_hash": hash_of(password.encode()), "status": 1}
        with (
            patch("services.auth_service.get_user_by_username", return_value=user),
            pytest.raises(InvalidCredentials, match=r"^Wrong password$"),
        ):
            auth_service.login({**LOGIN, "password": password})

    def test_a_password_of_72_bytes_logs_in(self):
        user = {"id": 7, "password_hash": hash_of(b"a" * 72), "status": 1}
        with patch("services.auth_service.get_user_by_username", return_value=user):
            assert auth_service.login({**LOGIN, "password": "a" * 72})

    def test_a_database_that_is_away_is_not_a_wrong_password(self):
        error = Unavailable("The database is not available")
        with (
            patch("services.auth_service.get_user_by_username", side_effect=error),
            pytest.raises(Unavailable),
        ):
            auth_service.login(LOGIN)


class TestStrengthening:
    """A login is the one moment when the password is known and can be hashed anew."""

    @pytest.fixture
    def replace(self):
        with patch("repositories.user_repository.replace_password_hash") as replace:
            yield replace

    def login(self, stored, password="gopher1!", status=1):
        user = {"id": 7, "password_hash": stored, "status": status}
        with patch("services.auth_service.get_user_by_username", return_value=user):
            return auth_service.login({**LOGIN, "password": password})

    def test_an_older_cost_is_hashed_anew(self, replace, rounds):
        stored = hash_of(b"gopher1!")
        rounds(5)
        assert self.login(stored)

        user_id, old, new = replace.call_args.args
        assert (user_id, old) == (7, stored)
        assert new.startswith("$2b$05$")
        assert bcrypt.checkpw(b"gopher1!", new.encode())

    @pytest.mark.parametrize("cost", [4, 5])
    def test_an_equal_or_a_higher_cost_stays(self, replace, cost):
        assert self.login(bcrypt.hashpw(b"gopher1!", bcrypt.gensalt(cost)).decode())

        replace.assert_not_called()

    @pytest.mark.parametrize(("password", "status"), [("gopher2!", 1), ("gopher1!", 0)])
    def test_a_refused_login_replaces_nothing(self, replace, rounds, password, status):
        stored = hash_of(b"gopher1!")
        rounds(5)
        with pytest.raises(InvalidCredentials):
            self.login(stored, password, status)

        replace.assert_not_called()


class TestGenerateTokenPair:
    def test_two_tokens_of_one_session_with_their_own_types_secrets_and_lifetimes(self):
        pair = auth_service.generate_token_pair(7)

        access = jwt.read(pair["access_token"], "access", token_secrets().access)
        refresh = jwt.read(pair["refresh_token"], "refresh", token_secrets().refresh)
        assert (access["sub"], access["type"], access["exp"] - access["iat"]) == (
            "7",
            "access",
            3600,
        )
        assert (refresh["sub"], refresh["type"], refresh["exp"] - refresh["iat"]) == (
            "7",
            "refresh",
            86400,
        )
        assert access["sid"] == refresh["sid"]
        assert access["jti"] != refresh["jti"]

    @pytest.mark.parametrize("name", ["access_token", "refresh_token"])
    def test_neither_token_does_the_others_work(self, name):
        token = auth_service.generate_token_pair(7)[name]
        kinds = {"access": token_secrets().access, "refresh": token_secrets().refresh}
        own = name.removesuffix("_token")

        for kind, secret in kinds.items():
            if kind != own:
                with pytest.raises(jwt.InvalidToken):
                    jwt.read(token, kind, secret)

    def test_every_call_is_a_new_session(self):
        first, second = auth_service.generate_token_pair(7), auth_service.generate_token_pair(7)

        sessions = {
            jwt.read(pair["access_token"], "access", token_secrets().access)["sid"]
            for pair in (first, second)
        }
        assert len(sessions) == 2

    def test_with_a_database_the_session_is_stored(self, no_database):
        no_database.closed = False
        with patch("repositories.session_repository.create_session") as create_session:
            pair = auth_service.generate_token_pair(7)

        claims = jwt.read(pair["access_token"], "access", token_secrets().access)
        create_session.assert_called_once_with(claims["sid"], 7, pair["refresh_token"], 86400)


class TestRefresh:
    @pytest.fixture
    def events(self):
        """What became of the transaction, and what followed it."""
        return []

    @pytest.fixture
    def sessions(self, events):
        @contextmanager
        def transaction():
            try:
                yield "conn"
            except BaseException:
                events.append("rolled back")
                raise
            events.append("committed")

        with (
            patch("services.auth_service.session_repository") as repository,
            patch("services.auth_service.transaction", transaction),
        ):
            yield repository

    @pytest.fixture
    def end(self, events):
        with patch("services.session_service.end") as end:
            end.side_effect = lambda *args: events.append("ended")
            yield end

    @pytest.fixture
    def token(self):
        return auth_service._sign_pair(7, SESSION)["refresh_token"]

    def test_an_unspent_token_gives_a_new_pair_for_the_same_session(
        self, sessions, end, events, token
    ):
        sessions.spend_refresh_token.return_value = {
            "session_id": SESSION,
            "user_id": 7,
            "reused": False,
        }
        pair = auth_service.refresh(token)

        sessions.spend_refresh_token.assert_called_once_with(token, "conn")
        sessions.add_refresh_token.assert_called_once_with(
            SESSION, pair["refresh_token"], 86400, "conn"
        )
        claims = jwt.read(pair["access_token"], "access", token_secrets().access)
        assert (claims["sub"], claims["sid"]) == ("7", SESSION)
        assert pair["refresh_token"] != token
        assert events == ["committed"]

    def test_a_token_is_not_spent_when_the_next_cannot_be_stored(
        self, sessions, end, events, token
    ):
        sessions.spend_refresh_token.return_value = {
            "session_id": SESSION,
            "user_id": 7,
            "reused": False,
        }
        sessions.add_refresh_token.side_effect = Unavailable("The database is not available")
        with pytest.raises(Unavailable):
            auth_service.refresh(token)

        assert events == ["rolled back"]

    @pytest.fixture
    def reused(self, sessions):
        spent = {"session_id": SESSION, "user_id": 7, "reused": True}
        sessions.spend_refresh_token.return_value = spent

    def test_a_reused_token_ends_its_session(self, sessions, reused, end, events, token):
        with pytest.raises(InvalidCredentials, match=r"^Invalid refresh token$"):
            auth_service.refresh(token)

        end.assert_called_once_with(SESSION, 7)
        sessions.add_refresh_token.assert_not_called()
        assert events == ["committed", "ended"]

    def test_a_reused_token_is_401_also_when_the_session_has_just_ended(self, reused, end, token):
        end.side_effect = NotFound("Session not found")
        with pytest.raises(InvalidCredentials, match=r"^Invalid refresh token$"):
            auth_service.refresh(token)

        end.assert_called_once_with(SESSION, 7)

    def test_a_session_that_could_not_be_ended_is_no_401(self, reused, end, token):
        end.side_effect = Unavailable("The database is not available")
        with pytest.raises(Unavailable):
            auth_service.refresh(token)

    def test_a_token_that_the_database_does_not_know_ends_nothing(self, sessions, end, token):
        sessions.spend_refresh_token.return_value = None
        with pytest.raises(InvalidCredentials, match=r"^Invalid refresh token$"):
            auth_service.refresh(token)

        end.assert_not_called()
        sessions.add_refresh_token.assert_not_called()

    @pytest.mark.parametrize("token", ["", "x.y.z", "access token"])
    def test_what_is_no_refresh_token_never_reaches_the_database(self, sessions, token):
        if token == "access token":
            token = auth_service._sign_pair(7, SESSION)["access_token"]
        with pytest.raises(InvalidCredentials, match=r"^Invalid refresh token$"):
            auth_service.refresh(token)

        sessions.spend_refresh_token.assert_not_called()
