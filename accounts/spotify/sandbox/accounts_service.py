"""The sandbox's accounts service: the page that asks, codes, and tokens."""

import base64
import hashlib
import html
import time
from typing import Any
from urllib.parse import urlencode, urlsplit

from accounts.spotify.sandbox.state import Grant, World

Answer = tuple[int, dict[str, str], Any]
_LOOPBACK = ("127.0.0.1", "::1")
_CODE_SECONDS = 600
_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>Spotify sandbox</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>body{{font:16px/1.5 system-ui;max-width:26rem;margin:3rem auto;padding:0 1rem}}
button,select{{font:inherit;padding:.5rem 1rem;margin:.5rem .5rem .5rem 0}}</style>
<h1>Spotify sandbox</h1><p>This is not Spotify: it is a local server that behaves like it.</p>{body}</html>"""


def refusal_of(uri: str, registered: tuple[str, ...]) -> str | None:
    """Return why Spotify would not redirect to ``uri``; None where it would."""
    requested = urlsplit(uri)
    if requested.scheme != "https" and not (requested.scheme == "http" and requested.hostname in _LOOPBACK):
        return "INVALID_CLIENT: Insecure redirect URI"
    for known in map(urlsplit, registered):
        if known == requested:
            return None
        # A loopback address that was registered without a port goes with any port.
        is_portless = known.hostname in _LOOPBACK and known.port is None and known.hostname == requested.hostname
        if is_portless and (known.scheme, known.path, known.query) == (
            requested.scheme,
            requested.path,
            requested.query,
        ):
            return None
    return "INVALID_CLIENT: Invalid redirect URI"


def authorize_page(world: World, query: dict[str, str]) -> Answer:
    """Ask the listener, and who they are; an app that asks wrongly gets an error page, and no redirect."""
    if query.get("client_id") != world.client_id:
        return _page(400, "<p>INVALID_CLIENT: Invalid client</p>")
    if refusal := refusal_of(query.get("redirect_uri", ""), world.redirect_uris):
        return _page(400, f"<p>{html.escape(refusal)}</p>")
    if query.get("response_type") != "code":
        return _back(query, error="unsupported_response_type")
    hidden = "".join(
        f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
        for name, value in query.items()
    )
    choices = "".join(
        f'<option value="{html.escape(listener.id)}">{html.escape(listener.name)}</option>'
        for listener in world.listeners.values()
    )
    scopes = "".join(f"<li>{html.escape(scope)}</li>" for scope in query.get("scope", "").split())
    body = (
        f'<form method="post" action="/authorize">{hidden}<p><label>You are <select name="listener">{choices}</select>'
        f"</label></p><p>This app would like to:</p><ul>{scopes}</ul>"
        '<button name="answer" value="agree">Agree</button><button name="answer" value="cancel">Cancel</button></form>'
    )
    return _page(200, body)


def authorize(world: World, form: dict[str, str]) -> Answer:
    """Send the listener back with a code, or with their refusal."""
    if form.get("client_id") != world.client_id or refusal_of(form.get("redirect_uri", ""), world.redirect_uris):
        return _page(400, "<p>INVALID_CLIENT</p>")
    listener = world.listeners.get(form.get("listener", ""))
    if form.get("answer") != "agree" or listener is None:
        return _back(form, error="access_denied")
    if form.get("code_challenge_method", "S256") != "S256":
        return _back(form, error="invalid_request")
    grant = Grant(
        listener.id,
        form.get("scope", ""),
        time.time() + _CODE_SECONDS,
        world.client_id,
        challenge=form.get("code_challenge", ""),
        redirect_uri=form["redirect_uri"],
    )
    return _back(form, code=world.add_code(grant))


def token(world: World, form: dict[str, str], authorization: str) -> Answer:
    """Turn a code or a refresh token into tokens."""
    has_secret = _is_client(world, authorization)
    if not has_secret and (authorization or form.get("client_id") != world.client_id):
        return _error(400, "invalid_client", "Invalid client")
    if form.get("grant_type") == "authorization_code":
        return _from_code(world, form, has_secret=has_secret)
    if form.get("grant_type") == "refresh_token":
        with world.lock:
            grant = world.refresh.get(form.get("refresh_token", ""))
            if grant is None or grant.ends_at < time.time():
                return _error(400, "invalid_grant", "Refresh token revoked")
            return 200, {}, world.add_tokens(grant, refresh=form["refresh_token"])
    return _error(400, "unsupported_grant_type", "grant_type must be client_credentials, authorization_code or ...")


def _from_code(world: World, form: dict[str, str], *, has_secret: bool) -> Answer:
    with world.lock:
        grant = world.codes.pop(form.get("code", ""), None)
    if grant is None or grant.ends_at < time.time():
        return _error(400, "invalid_grant", "Invalid authorization code")
    if grant.redirect_uri != form.get("redirect_uri"):
        return _error(400, "invalid_grant", "Invalid redirect URI")
    digest = base64.urlsafe_b64encode(hashlib.sha256(form.get("code_verifier", "").encode()).digest())
    if grant.challenge and digest.rstrip(b"=").decode() != grant.challenge:
        return _error(400, "invalid_grant", "code_verifier was incorrect")
    if not grant.challenge and not has_secret:
        return _error(400, "invalid_request", "code_verifier required")
    return 200, {}, world.add_tokens(grant)


def _is_client(world: World, authorization: str) -> bool:
    expected = base64.b64encode(f"{world.client_id}:{world.client_secret}".encode()).decode()
    return authorization == f"Basic {expected}"


def _back(form: dict[str, str], **answer: str) -> Answer:
    uri = form["redirect_uri"]
    query = urlencode({**answer, **({"state": form["state"]} if form.get("state") else {})})
    return 302, {"Location": f"{uri}{'&' if '?' in uri else '?'}{query}"}, ""


def _page(status: int, body: str) -> Answer:
    return status, {"Content-Type": "text/html; charset=utf-8"}, _PAGE.format(body=body)


def _error(status: int, error: str, description: str) -> Answer:
    return status, {}, {"error": error, "error_description": description}
