"""Mail through a real SMTP server on this machine, and to the log where none is set."""

import datetime
import ipaddress
import re
import socket
import ssl
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from config import mail
from config.settings import Settings

CODE = "754321:xyz9AbC2DeF3GhI4JkL0"
MAIL = ("anna@example.org", "Привет, Anna", f"Dear Anna,\n\n{CODE}\n\nYours, GopherTalk\n")


class Server(Controller):
    """On any free port."""

    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class Inbox:
    """Keeps what arrives, once it has refused as often as it was told to."""

    def __init__(self):
        self.refusals = []
        self.messages = []
        self.logins = []

    async def handle_DATA(self, server, session, envelope):
        self.messages.append((envelope.rcpt_tos, envelope.content, session.ssl is not None))
        return "250 OK"

    async def handle_RCPT(self, server, session, envelope, address, options):
        if self.refusals:
            return self.refusals.pop()
        envelope.rcpt_tos.append(address)
        return "250 OK"

    def authenticate(self, server, session, envelope, mechanism, data):
        self.logins.append((data.login, data.password))
        return AuthResult(success=data.password == b"let me in", handled=False)


@pytest.fixture
def settings(monkeypatch):
    """Sets what the mail module sees; the pauses between tries are none."""
    monkeypatch.setattr(mail, "RETRY_PAUSES_SECONDS", (0, 0))

    def use(**changes):
        used = Settings().model_copy(update=changes)
        monkeypatch.setattr(mail, "get_settings", lambda: used)

    return use


@pytest.fixture
def inbox():
    return Inbox()


@pytest.fixture
def serve(inbox, settings):
    """Starts the server and points the settings to it."""
    running = []

    def start(smtp_user=None, smtp_password="", **options):
        server = Server(inbox, hostname="127.0.0.1", port=0, **options)
        server.start()
        running.append(server)
        password = type(Settings().smtp_password)(smtp_password)
        settings(
            smtp_host="127.0.0.1",
            smtp_port=server.port,
            smtp_user=smtp_user,
            smtp_password=password,
        )

    yield start
    for server in running:
        server.stop()


class TestDelivery:
    def test_the_mail_arrives_whole(self, serve, inbox):
        serve()
        mail.send(*MAIL)

        ((recipients, content, _),) = inbox.messages
        message = message_from_bytes(content, policy=policy.default)
        assert recipients == ["anna@example.org"]
        assert (message["To"], message["Subject"]) == MAIL[:2]
        assert message["From"] == Settings().smtp_from
        assert message.get_content().replace("\r\n", "\n") == MAIL[2]
        # Gmail and others refuse mail without these two.
        assert abs(message["Date"].datetime - datetime.datetime.now(datetime.UTC)) < (
            datetime.timedelta(minutes=5)
        )
        assert re.fullmatch(r"<[^<>@ ]+@localhost>", message["Message-ID"])

    @pytest.mark.parametrize(
        ("to", "arrives_at"),
        [
            ("o'brien+talk@example.org", "o'brien+talk@example.org"),
            (f"{'long.' * 12}name@{'sub.' * 40}example.org",) * 2,
            ("anna@пример.рф", "anna@xn--e1afmkfd.xn--p1ai"),
            ("анна@пример.рф", "анна@xn--e1afmkfd.xn--p1ai"),
        ],
    )
    def test_every_valid_address_can_be_written_to(self, serve, inbox, to, arrives_at):
        serve(enable_SMTPUTF8=True)
        mail.send(to, *MAIL[1:])

        ((recipients, _, _),) = inbox.messages
        assert recipients == [arrives_at]

    @pytest.mark.parametrize("refusals", [1, 2])
    def test_a_refusal_is_tried_again(self, serve, inbox, refusals, caplog):
        serve()
        inbox.refusals = ["451 Come back later"] * refusals
        mail.send(*MAIL)

        assert len(inbox.messages) == 1
        assert caplog.text.count("mail could not be sent, trying again") == refusals
        assert CODE not in caplog.text

    def test_the_third_refusal_is_raised(self, serve, inbox):
        serve()
        inbox.refusals = ["550 Nobody here"] * 9
        with pytest.raises(mail.smtplib.SMTPException):
            mail.send(*MAIL)

        assert (len(inbox.refusals), inbox.messages) == (6, [])

    def test_a_server_that_is_not_there_is_raised(self, settings, caplog):
        settings(smtp_host="127.0.0.1", smtp_port=1)
        with pytest.raises(OSError, match="refused"):
            mail.send(*MAIL)

        assert caplog.text.count("trying again") == 2


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A file with a key and a certificate of its own for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    file.write_bytes(private + signed.public_bytes(serialization.Encoding.PEM))
    return file


def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


class TestLogin:
    @pytest.fixture
    def start(self, serve, inbox, certificate, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

        def start(password):
            serve(
                smtp_user="gopher",
                smtp_password=password,
                authenticator=inbox.authenticate,
                auth_required=True,
                tls_context=tls(certificate),
            )

        return start

    def test_by_user_and_password(self, start, inbox):
        start("let me in")
        mail.send(*MAIL)

        assert inbox.logins == [(b"gopher", b"let me in")]
        assert len(inbox.messages) == 1

    def test_a_wrong_password_is_raised_and_not_logged(self, start, inbox, caplog):
        start("wrong secret")
        with pytest.raises(mail.smtplib.SMTPAuthenticationError):
            mail.send(*MAIL)

        assert inbox.messages == []
        assert "wrong secret" not in caplog.text

    @pytest.mark.parametrize("host", ["mail.example.org", "127.0.0.2", "localhost.example.org"])
    def test_no_password_to_a_server_without_tls_elsewhere(
        self, serve, inbox, monkeypatch, caplog, host
    ):
        serve("gopher", "let me in", authenticator=inbox.authenticate, auth_require_tls=False)
        self.call_it(host, monkeypatch)
        with pytest.raises(mail.smtplib.SMTPNotSupportedError, match="without TLS"):
            mail.send(*MAIL)

        assert (inbox.logins, inbox.messages) == ([], [])
        assert "let me in" not in caplog.text

    def test_what_needs_no_password_is_sent_there(self, serve, inbox, monkeypatch):
        serve()
        self.call_it("mail.example.org", monkeypatch)
        mail.send(*MAIL)

        assert len(inbox.messages) == 1

    def test_a_server_on_this_machine_needs_no_tls(self, serve, inbox):
        serve("gopher", "let me in", authenticator=inbox.authenticate, auth_require_tls=False)
        mail.send(*MAIL)

        assert inbox.logins == [(b"gopher", b"let me in")]
        assert len(inbox.messages) == 1

    def call_it(self, host, monkeypatch):
        """The server of the test under the name of another machine."""
        used = mail.get_settings().model_copy(update={"smtp_host": host})
        monkeypatch.setattr(mail, "get_settings", lambda: used)
        connect = socket.create_connection
        monkeypatch.setattr(
            socket,
            "create_connection",
            lambda address, *rest, **options: connect(("127.0.0.1", address[1]), *rest, **options),
        )


class TestTls:
    def test_is_used_when_the_server_offers_it(self, serve, inbox, certificate, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        serve(tls_context=tls(certificate), require_starttls=True)
        mail.send(*MAIL)

        ((_, _, encrypted),) = inbox.messages
        assert encrypted

    def test_a_server_that_cannot_prove_who_it_is_gets_nothing(self, serve, inbox, certificate):
        serve(
            smtp_user="gopher",
            smtp_password="let me in",
            tls_context=tls(certificate),
            authenticator=inbox.authenticate,
        )
        with pytest.raises(ssl.SSLCertVerificationError):
            mail.send(*MAIL)

        assert (inbox.logins, inbox.messages) == ([], [])

    def test_from_the_first_byte_on_its_port(self, serve, inbox, certificate, monkeypatch):
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        serve(ssl_context=tls(certificate))
        monkeypatch.setattr(mail, "IMPLICIT_TLS_PORT", mail.get_settings().smtp_port)
        mail.send(*MAIL)

        assert len(inbox.messages) == 1


class TestWithoutAServer:
    @pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
    def test_a_developer_reads_it_in_the_log(self, settings, caplog, host):
        settings(smtp_host=None, host=host)
        mail.send(*MAIL)

        assert "a***@example.org" in caplog.text
        assert CODE in caplog.text

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "example.org"])
    def test_who_serves_others_is_told_without_the_text_and_the_address(
        self, settings, caplog, host
    ):
        settings(smtp_host=None, host=host)
        mail.send(*MAIL)

        assert "no SMTP_HOST is set; a mail was not sent" in caplog.text
        assert CODE not in caplog.text
        assert "anna@example.org" not in caplog.text
