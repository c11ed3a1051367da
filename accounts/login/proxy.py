"""``TRUSTED_PROXY_AUTH_HEADER``: a proxy that knows who somebody is says so in a header, and is believed.

Only from the addresses of ``TRUSTED_PROXY_ADDRESSES``: from anybody else the header means nothing.
"""

import ipaddress
import logging
import secrets
import unicodedata
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import login, logout
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from accounts.models import User

logger = logging.getLogger(__name__)
Answer = Callable[[HttpRequest], HttpResponseBase]
# Marks a session that the proxy began: it ends when the proxy names somebody else or nobody.
SESSION_KEY = "logged_in_by_proxy"
# No mail server takes mail for such addresses (RFC 2606).
NO_ADDRESS = ".invalid"


def log_in_by_header(get_response: Answer) -> Answer:
    """Log in whom the proxy names, and out whom it names no longer."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if settings.TRUSTED_PROXY_AUTH_HEADER and _comes_from_the_proxy(request) and not _has_token(request):
            _follow(request)
        return get_response(request)

    return middleware


def header_key() -> str:
    """Return the header's name in ``request.META``."""
    return "HTTP_" + settings.TRUSTED_PROXY_AUTH_HEADER.upper().replace("-", "_")


def _comes_from_the_proxy(request: HttpRequest) -> bool:
    # What connected to us, never what a header says of where a request comes from.
    peer = request.META.get("REMOTE_ADDR") or "unix"
    if peer == "unix":
        return "unix" in settings.TRUSTED_PROXY_ADDRESSES
    try:
        address = ipaddress.ip_address(peer)
    except ValueError:
        return False
    # A socket for both versions of IP shows an address of the old one as ::ffff:192.0.2.1.
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    networks = (name for name in settings.TRUSTED_PROXY_ADDRESSES if name != "unix")
    return any(address in ipaddress.ip_network(name) for name in networks)


def _has_token(request: HttpRequest) -> bool:
    """Whether a program calls with an access token, which says who it is by itself."""
    return str(request.META.get("HTTP_AUTHORIZATION", "")).lower().startswith("bearer ")


def _follow(request: HttpRequest) -> None:
    # Not `request.headers`: those are put together once, and calls of players have lost the header since.
    name = _name_of(request.META.get(header_key(), ""))
    known = request.user.username if isinstance(request.user, User) else None
    if name and name == known:
        return
    if SESSION_KEY in request.session or (name and known):
        logout(request)
    user = _listener(name) if name else None
    if user is not None and user.is_active:
        login(request, user, backend=settings.AUTHENTICATION_BACKENDS[0])
        request.session[SESSION_KEY] = True


def _name_of(value: str) -> str:
    """Return the username in a header's value (UTF-8, which WSGI hands on as Latin-1); empty for what is none.

    But for upper and lower case a name has to be written as we write it: what only Unicode's rules make of another
    name's letters may be another person's where the proxy keeps its accounts.
    """
    try:
        name = value.encode("latin-1").decode().strip(" \t")
    except UnicodeError:
        return ""
    # PostgreSQL takes no NUL even to look for it.
    if not name.isprintable():
        return ""
    return User.normalize_username(name) if unicodedata.normalize("NFKC", name) == name else ""


def _listener(name: str) -> User | None:
    """Return the account of that name, made if there is none; None for a name that no account may have."""
    user = User.objects.filter(username=name).first()
    if user is not None:
        return user
    # An address that nobody can take before.
    user = User(username=name, email=f"{secrets.token_hex(16)}@proxy{NO_ADDRESS}")
    user.set_unusable_password()
    try:
        if "@" in name:
            raise ValidationError("at sign")
        user.full_clean()
        with transaction.atomic():
            user.save(force_insert=True)
    except ValidationError:
        logger.warning("the proxy named somebody whose name no account may have")
        return None
    except IntegrityError:
        # Another request made it a moment ago.
        return User.objects.filter(username=name).first()
    return user
