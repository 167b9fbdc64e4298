"""Mail by SMTP; without SMTP_HOST, on a developer's own machine, to the log."""

import logging
import smtplib
import ssl
import time
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, make_msgid, parseaddr

from email_validator import validate_email

from config.settings import LOOPBACK_HOSTS, Settings, get_settings

IMPLICIT_TLS_PORT = 465
TIMEOUT_SECONDS = 10
RETRY_PAUSES_SECONDS = (1, 5)

log = logging.getLogger("gophertalk.mail")


def send(to: str, subject: str, text: str) -> None:
    """Tries three times; raises what the last try raised. It takes seconds: use `run_later`."""
    settings = get_settings()
    if settings.smtp_host is None:
        _log_instead(settings, to, subject, text)
        return
    message = _message(settings.smtp_from, to, subject, text)
    for pause_seconds in RETRY_PAUSES_SECONDS:
        try:
            _deliver(settings, settings.smtp_host, message)
            return
        except (OSError, smtplib.SMTPException) as error:
            log.warning("mail could not be sent, trying again: %s", type(error).__name__)
            time.sleep(pause_seconds)
    _deliver(settings, settings.smtp_host, message)


def _message(sender: str, to: str, subject: str, text: str) -> EmailMessage:
    """With all that large mail services demand. The address is one line, however long it is, and
    its domain is in ASCII, which every server takes."""
    message = EmailMessage(SMTP.clone(max_line_length=998))
    address = validate_email(to, check_deliverability=False)
    message["From"], message["Subject"] = sender, subject
    message["To"] = Address(username=address.local_part, domain=address.ascii_domain)
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2])
    message.set_content(text)
    return message


def _log_instead(settings: Settings, to: str, subject: str, text: str) -> None:
    """The text has a token in it, so it is logged only on a developer's own machine."""
    if settings.host in LOOPBACK_HOSTS:
        masked = f"{to[:1]}***@{to.rpartition('@')[2]}"
        log.warning("no SMTP_HOST is set; mail to %s: %s\n%s", masked, subject, text)
    else:
        log.warning("no SMTP_HOST is set; a mail was not sent: %s", subject)


def _deliver(settings: Settings, host: str, message: EmailMessage) -> None:
    tls = ssl.create_default_context()
    if settings.smtp_port == IMPLICIT_TLS_PORT:
        server = smtplib.SMTP_SSL(host, settings.smtp_port, timeout=TIMEOUT_SECONDS, context=tls)
    else:
        server = smtplib.SMTP(host, settings.smtp_port, timeout=TIMEOUT_SECONDS)
    with server:
        server.ehlo()
        private = settings.smtp_port == IMPLICIT_TLS_PORT or host in LOOPBACK_HOSTS
        if settings.smtp_port != IMPLICIT_TLS_PORT and server.has_extn("starttls"):
            server.starttls(context=tls)
            private = True
        if settings.smtp_user:
            if not private:
                raise smtplib.SMTPNotSupportedError("no password for a server without TLS")
            server.login(settings.smtp_user, settings.smtp_password.get_secret_value())
        server.send_message(message)
