"""Checks of other services: mail, Spotify, the OpenID Connect provider, and the proxy."""

from typing import Any
from urllib.parse import urlsplit

import requests
from django.conf import settings
from django.core.checks import run_checks
from django.core.mail import get_connection

from spotify_rec.doctor.findings import Finding, broken, look, ok

SECONDS = 10


def configuration() -> Finding:
    """Run Django's own checks; outside DEBUG those of a site that others reach, too."""
    entries = [entry for entry in run_checks(include_deployment_checks=not settings.DEBUG) if not entry.is_silenced()]
    errors = [entry for entry in entries if entry.is_serious()]
    if errors:
        return broken("settings", f"{errors[0].msg} ({errors[0].id})", errors[0].hint or "run `manage.py check`")
    if settings.DEBUG:
        advice = "for a site that others reach, write a .env file: `manage.py make_env --host songs.example.org`"
        return look("settings", "DEBUG is on: for use on this machine alone", advice)
    if entries:
        return look(
            "settings", f"{entries[0].msg} ({entries[0].id})", entries[0].hint or "run `manage.py check --deploy`"
        )
    return ok("settings", f"in order for {', '.join(settings.ALLOWED_HOSTS)}")


def mail() -> Finding:
    """Check whether e-mails can be sent."""
    if not settings.EMAIL_URL:
        text = "no mail server: the letters of password resets appear in the log"
        if settings.DEBUG:
            return ok("mail", text)
        return look("mail", text, "set EMAIL_URL, or nobody who forgot a password gets in again")
    server = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT}" if settings.EMAIL_HOST else settings.EMAIL_BACKEND
    try:
        connection = get_connection()
        if hasattr(connection, "timeout"):
            connection.timeout = SECONDS
        connection.open()
        connection.close()
    except OSError as error:
        return broken("mail", f"{server}: {error}", "see that EMAIL_URL is right and the server reachable")
    return ok("mail", f"{server} takes us in")


def spotify() -> Finding:
    """See whether the app's id and secret are good. It asks Spotify, and only where an app is set up."""
    if not settings.SPOTIFY_CLIENT_ID:
        return ok("spotify", "no app is set up: nothing of Spotify is offered, and nothing is asked of it")
    host = urlsplit(settings.SPOTIFY_ACCOUNTS_URL).netloc
    log_in = (settings.SPOTIFY_CLIENT_ID, settings.SPOTIFY_CLIENT_SECRET)
    form = {"grant_type": "client_credentials"}
    try:
        url = f"{settings.SPOTIFY_ACCOUNTS_URL}/api/token"
        response: Any = requests.post(url, data=form, auth=log_in, timeout=SECONDS).json()
    except (requests.RequestException, ValueError) as error:
        advice = "see that this machine reaches it; listeners are told to try again meanwhile"
        return broken("spotify", f"{host} gives no answer ({type(error).__name__})", advice)
    if isinstance(response, dict) and response.get("error") == "invalid_client":
        advice = "copy SPOTIFY_CLIENT_ID and SPOTIFY_CLIENT_SECRET anew from developer.spotify.com/dashboard"
        return broken("spotify", f"{host} does not know the app, or not by this secret", advice)
    return ok("spotify", f"{host} knows the app")


def openid_connect() -> Finding:
    """See whether the provider of the settings describes itself. Nothing is asked where none is set."""
    address = settings.OIDC_SERVER_URL
    if not address:
        return ok("openid", "no provider is set up: people log in with the site's own accounts")
    url = address if "/.well-known/" in address else f"{address}/.well-known/openid-configuration"
    try:
        described: Any = requests.get(url, timeout=SECONDS).json()
    except (requests.RequestException, ValueError) as error:
        advice = "see that OIDC_SERVER_URL is the provider's issuer, and that this machine reaches it"
        return broken("openid", f"{url} gives no answer to read ({type(error).__name__})", advice)
    described = described if isinstance(described, dict) else {}
    if missing := [name for name in _PROVIDER_SAYS if not isinstance(described.get(name), str)]:
        return broken("openid", f"{url} doesn't say its {missing[0]}", "set OIDC_SERVER_URL to the provider's issuer")
    page = described["authorization_endpoint"]
    return ok("openid", f"{settings.OIDC_NAME}: {described['issuer']} answers; people log in at {page}")


# What a log-in needs of it (OpenID Connect Discovery 1.0, section 3).
_PROVIDER_SAYS = ("issuer", "authorization_endpoint", "token_endpoint")


def proxy() -> Finding:
    """See whether the settings fit a proxy, or none, in front of the site."""
    count = settings.ALLAUTH_TRUSTED_PROXY_COUNT
    if not settings.DEBUG and not settings.INSECURE_HTTP and not count:
        advice = (
            "behind a proxy that speaks HTTPS set TRUSTED_PROXY_COUNT=1; for trying on one machine INSECURE_HTTP=true"
        )
        return broken(
            "proxy", "HTTPS is wanted, but no proxy is trusted to say that it was used: pages lead in a circle", advice
        )
    if count and not settings.CSRF_TRUSTED_ORIGINS and not settings.DEBUG:
        advice = "set CSRF_TRUSTED_ORIGINS to the address, such as https://songs.example.org"
        return look("proxy", f"{count} trusted, and no address whose forms are", advice)
    if settings.BASE_PATH and not count:
        advice = "set TRUSTED_PROXY_COUNT=1: only a proxy can show the site below a path"
        return broken("proxy", f"the site is to lie below {settings.BASE_PATH}/, and no proxy is trusted", advice)
    below = f", the site below {settings.BASE_PATH}/" if settings.BASE_PATH else ""
    named = ""
    if settings.TRUSTED_PROXY_AUTH_HEADER:
        addresses = ", ".join(settings.TRUSTED_PROXY_ADDRESSES)
        named = f", {settings.TRUSTED_PROXY_AUTH_HEADER} logs in from {addresses}"
    return ok("proxy", (f"{count} trusted" if count else "none") + below + named)
