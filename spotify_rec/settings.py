"""All settings, from the environment. `.env.example` lists every one; a bad value stops the start."""

import importlib.util
import ipaddress
import logging
import os
import re
import sys
import zoneinfo
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environs
from cryptography.fernet import Fernet
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured

from accounts.spotify.dev_key import local_key
from spotify_rec import logs, places

# What is read lies in BASE_DIR; what is kept lies in HOME_DIR and VAR_DIR.
BASE_DIR, HOME_DIR, VAR_DIR = places.BASE_DIR, places.HOME_DIR, places.VAR_DIR
try:
    VAR_DIR.mkdir(parents=True, exist_ok=True)
except OSError as _error:
    raise ImproperlyConfigured(f"no place to keep anything: {_error} (EARWORM_HOME names another)") from None
if HOME_DIR != BASE_DIR:
    # For modules of the operator's own (FEATURE_SOURCE); last, so that none of ours is hidden.
    sys.path.append(str(HOME_DIR))

env = environs.Env()
env.read_env(HOME_DIR / ".env", recurse=False)


def _read(name: str, reader: Any, **options: Any) -> Any:
    """Read one setting; a value that does not fit stops the start with the setting's name."""
    try:
        return reader(name, **options)
    except environs.EnvValidationError as error:
        raise ImproperlyConfigured(f"setting {name}: {' '.join(error.error_messages)}") from None
    except (environs.EnvError, ValueError, KeyError) as error:
        raise ImproperlyConfigured(f"setting {name}: {error}") from None


def _read_text(name: str, default: str) -> str:
    """Read a text that may not be empty."""
    value: str = _read(name, env.str, default=default).strip()
    if not value:
        raise ImproperlyConfigured(f"setting {name}: must not be empty. Leave it out to use {default!r}.")
    return value


def _read_count(name: str, default: int) -> int:
    """Read a whole number of 0 or more."""
    value: int = _read(name, env.int, default=default)
    if value < 0:
        raise ImproperlyConfigured(f"setting {name}: must be 0 or more, not {value}.")
    return value


# --- Core ------------------------------------------------------------------------------------------------------------
DEBUG: bool = _read("DEBUG", env.bool, default=True)
# HTTPS is assumed outside DEBUG; INSECURE_HTTP is for trying the production settings on a machine of one's own.
INSECURE_HTTP: bool = _read("INSECURE_HTTP", env.bool, default=DEBUG)


def _require_https(name: str, address: str) -> None:
    """Raise ``ImproperlyConfigured`` for an address on plain HTTP, but for this machine's own under INSECURE_HTTP."""
    url = urlsplit(address)
    if url.scheme == "https" or (INSECURE_HTTP and url.scheme == "http" and url.hostname in ("127.0.0.1", "::1")):
        return
    raise ImproperlyConfigured(
        f"setting {name}: must start with https:// (http://127.0.0.1 is allowed when INSECURE_HTTP is true)."
    )


SITE_NAME = _read_text("SITE_NAME", default="Earworm")
_LOCAL_KEY = "for local use only: not accepted when DEBUG is false"
SECRET_KEY: str = _read("SECRET_KEY", env.str, default="") or (_LOCAL_KEY if DEBUG else "")
if not DEBUG and (len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5 or SECRET_KEY == _LOCAL_KEY):
    raise ImproperlyConfigured(
        "setting SECRET_KEY: set it to at least 50 random characters (required when DEBUG is false)."
    )
ALLOWED_HOSTS: list[str] = _read("ALLOWED_HOSTS", env.list, default=[])
if not DEBUG and not ALLOWED_HOSTS:
    raise ImproperlyConfigured(
        "setting ALLOWED_HOSTS: list the site's host names, separated by commas (required when DEBUG is false)."
    )
CSRF_TRUSTED_ORIGINS: list[str] = _read("CSRF_TRUSTED_ORIGINS", env.list, default=[])
for _origin in CSRF_TRUSTED_ORIGINS:
    if urlsplit(_origin).scheme not in ("http", "https") or not urlsplit(_origin).netloc:
        raise ImproperlyConfigured(f"setting CSRF_TRUSTED_ORIGINS: {_origin!r} must look like https://host.")
# Pages of these sites may call the API with an access token; never with the listener's session.
CORS_ALLOWED_ORIGINS: list[str] = _read("API_CORS_ORIGINS", env.list, default=[])
for _origin in CORS_ALLOWED_ORIGINS:
    if not re.fullmatch(r"https?://[^/\s*]+", _origin):
        raise ImproperlyConfigured(f"setting API_CORS_ORIGINS: {_origin!r} must look like https://host.")
CORS_URLS_REGEX = r"^.*/(api|recommend)/"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_HEADERS = (
    "accept", "accept-language", "authorization", "content-type", "idempotency-key", "if-none-match", "range",
)  # fmt: skip
CORS_EXPOSE_HEADERS = ("ETag", "Retry-After", "Content-Disposition")

# Below this path a proxy shows the site (https://home.example/earworm/), and takes it away before it asks us.
BASE_PATH: str = _read("BASE_PATH", env.str, default="").strip().rstrip("/")
if BASE_PATH and not re.fullmatch(r"(/[\w~-]+)+", BASE_PATH, re.ASCII):
    raise ImproperlyConfigured("setting BASE_PATH: a path such as /earworm is needed, of letters, digits, - and _")
FORCE_SCRIPT_NAME = BASE_PATH or None
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = f"{BASE_PATH}/"
if BASE_PATH:
    # The host's other sites may be Django's, too: a browser sends both cookies of one name, and the wrong one counts.
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME, LANGUAGE_COOKIE_NAME = "earworm_session", "earworm_csrf", "earworm_language"
MESSAGE_STORAGE = "spotify_rec.web.static_files.MessageStorage"

INSTALLED_APPS = [
    "spotify_rec",
    "recommender",
    "feedback",
    "catalog",
    "accounts",
    "accounts.spotify",
    "jobs",
    "django_tasks",
    "django_tasks_db",
    "allauth",
    "allauth.account",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.mfa",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
    "corsheaders",
    "ninja",
    "django_htmx",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.forms",
]
MIDDLEWARE = [
    "spotify_rec.observability.observe",
    "spotify_rec.observability.health",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "spotify_rec.web.middleware.only_tokens",
    "spotify_rec.web.middleware.body_size",
    "spotify_rec.web.middleware.api_answers",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "accounts.login.proxy.log_in_by_header",
    "spotify_rec.web.time_zones.listeners_time_zone",
    "accounts.login.devices.remember_device",
    "feedback.onboarding.waiting.waiting_act",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "spotify_rec.web.middleware.plain_not_found",
    "spotify_rec.web.failures.RefuseImpossibleNumbers",
    "spotify_rec.web.caps.AnswerAtCap",
    "spotify_rec.web.away.AnswerWhileAway",
]
ROOT_URLCONF = "spotify_rec.urls"
WSGI_APPLICATION = "spotify_rec.wsgi.application"
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "spotify_rec.web.context.site",
            ]
        },
    }
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Database --------------------------------------------------------------------------------------------------------
_SQLITE_OPTIONS = {
    # Take the write lock at the start of a transaction: a reader that turns writer half-way would fail at once
    # instead of waiting. WAL lets readers go on meanwhile.
    "transaction_mode": "IMMEDIATE",
    "timeout": 20,
    "init_command": (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA mmap_size=134217728; PRAGMA cache_size=-20000; "
        "PRAGMA temp_store=MEMORY; PRAGMA journal_size_limit=27103364;"
    ),
}


def _database() -> dict[str, Any]:
    default = f"sqlite:///{VAR_DIR / 'db.sqlite3'}"
    database: dict[str, Any] = _read(
        "DATABASE_URL", env.dj_db_url, default=default, conn_max_age=60, conn_health_checks=True
    )
    engine = database["ENGINE"].rsplit(".", 1)[-1]
    if not database["NAME"]:
        raise ImproperlyConfigured("setting DATABASE_URL: the database name is missing.")
    if engine == "sqlite3":
        # Kept open as well: the first page of a new connection takes some 5 ms longer. `restore` writes into the file
        # that is there, so that nobody holds on to an old one.
        database["OPTIONS"] = {**_SQLITE_OPTIONS, **database.get("OPTIONS", {})}
        if database["NAME"] != ":memory:":
            database["NAME"] = _sqlite_path(database["NAME"])
    elif engine == "mysql":
        _use_pymysql_where_mysqlclient_is_missing()
        options = {"charset": "utf8mb4", "isolation_level": "read committed", "sql_mode": "STRICT_TRANS_TABLES"}
        if options_given := database.get("OPTIONS"):
            options.update(options_given)
        sql_mode = options.pop("sql_mode")
        database["OPTIONS"] = {**options, "init_command": f"SET sql_mode='{sql_mode}', default_storage_engine=INNODB"}
    elif engine != "postgresql":
        raise ImproperlyConfigured(f"setting DATABASE_URL: {engine} isn't supported. Use sqlite, postgres or mysql.")
    database["TEST"] = {"CHARSET": "utf8mb4"} if engine == "mysql" else {}
    return database


def _sqlite_path(name: str) -> Path:
    """Return where the file ``name`` is (relative: inside ``HOME_DIR``), in a directory that is there."""
    path = HOME_DIR / name
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ImproperlyConfigured(f"setting DATABASE_URL: {error}") from None
    return path


def _use_pymysql_where_mysqlclient_is_missing() -> None:
    """Stand in for the C driver, which needs a compiler and headers to install."""
    try:
        import MySQLdb  # type: ignore[import-untyped]  # noqa: F401
    except ImportError:
        import pymysql

        pymysql.install_as_MySQLdb()


DATABASES = {"default": _database()}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Where the cache and the rate limits are kept instead of in the database.
REDIS_URL: str = _read("REDIS_URL", env.str, default="").strip()
if REDIS_URL and urlsplit(REDIS_URL).scheme not in ("redis", "rediss", "unix"):
    raise ImproperlyConfigured("setting REDIS_URL: must be an address such as redis://127.0.0.1:6379/0.")
# allauth's rate limits count here. Several workers share the counts, in the database's own cache table, too.
CACHES: dict[str, dict[str, Any]] = {
    "default": {
        "BACKEND": "accounts.limits.cache.DatabaseCache",
        "LOCATION": "site_cache",
        # Far more than the default of 300: rate limits that were thrown out early would not limit.
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    },
    # What a music server says of its songs, in each process: in the other cache it would throw out the rate limits.
    "songs": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "LOCATION": "songs",
        "OPTIONS": {"MAX_ENTRIES": 2_000},
    },
}
if REDIS_URL:
    CACHES["default"] = {
        "BACKEND": "accounts.limits.cache.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "site",
    }

# --- Listeners -------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "accounts.User"
# It is Django's ModelBackend with log-in by e-mail; with both, each wrong password would be hashed twice.
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "recommender:home"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "email*", "password1*", "password2*"]
ACCOUNT_ADAPTER = "accounts.login.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "accounts.forms.SignupForm",
    "login": "accounts.forms.LoginForm",
    "add_email": "accounts.forms.ChangeEmailForm",
    "change_password": "accounts.forms.ChangePasswordForm",
}
ACCOUNT_SIGNUP_REDIRECT_URL = "feedback:start"
ACCOUNT_LOGOUT_REDIRECT_URL = "catalog:browse"
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_CHANGE_EMAIL = True
# A new e-mail address asks for the password once more, for it could be used to reset it.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
MFA_ADAPTER = "accounts.two_factor.adapter.TwoFactorAdapter"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = SITE_NAME
MFA_FORMS = {
    "authenticate": "accounts.two_factor.forms.AuthenticateForm",
    "reauthenticate": "accounts.two_factor.forms.ReauthenticateForm",
    "activate_totp": "accounts.two_factor.forms.ActivateTOTPForm",
    "add_webauthn": "accounts.two_factor.forms.AddPasskeyForm",
    "edit_webauthn": "accounts.two_factor.forms.EditPasskeyForm",
    "authenticate_webauthn": "accounts.two_factor.forms.PasskeyStepForm",
    "login_webauthn": "accounts.two_factor.forms.PasskeyLoginForm",
    "reauthenticate_webauthn": "accounts.two_factor.forms.PasskeyAgainForm",
}
# Operators without two-factor authentication are led to set it up, and operate nothing until they have.
REQUIRE_MFA_FOR_STAFF: bool = _read("REQUIRE_MFA_FOR_STAFF", env.bool, default=False)
# MariaDB has no uniqueness with a condition, which allauth's table of second factors asks for; its views look first.
SILENCED_SYSTEM_CHECKS = ["models.W036"]
ALLAUTH_TRUSTED_PROXY_COUNT = _read_count("TRUSTED_PROXY_COUNT", default=0)
# --- OpenID Connect --------------------------------------------------------------------------------------------------
# The provider with which listeners may log in, and what its button is called.
OIDC_NAME = _read_text("OIDC_NAME", default="OpenID Connect")
OIDC_SERVER_URL: str = _read("OIDC_SERVER_URL", env.str, default="").strip().rstrip("/")
OIDC_CLIENT_ID: str = _read("OIDC_CLIENT_ID", env.str, default="").strip()
OIDC_CLIENT_SECRET: str = _read("OIDC_CLIENT_SECRET", env.str, default="").strip()
if OIDC_SERVER_URL:
    _require_https("OIDC_SERVER_URL", OIDC_SERVER_URL)
    if not (OIDC_CLIENT_ID and OIDC_CLIENT_SECRET):
        raise ImproperlyConfigured(
            "setting OIDC_CLIENT_ID: set it and OIDC_CLIENT_SECRET to what the provider of OIDC_SERVER_URL tells you."
        )

# --- Log-in by a proxy -----------------------------------------------------------------------------------------------
# The header in which a proxy says who somebody is, and the only addresses from which it is believed.
TRUSTED_PROXY_AUTH_HEADER: str = _read("TRUSTED_PROXY_AUTH_HEADER", env.str, default="").strip()
if TRUSTED_PROXY_AUTH_HEADER and not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]*", TRUSTED_PROXY_AUTH_HEADER):
    raise ImproperlyConfigured("setting TRUSTED_PROXY_AUTH_HEADER: must be a header's name such as Remote-User.")
TRUSTED_PROXY_ADDRESSES: list[str] = _read("TRUSTED_PROXY_ADDRESSES", env.list, default=[])
for _name in TRUSTED_PROXY_ADDRESSES:
    try:
        _is_everybody = _name != "unix" and ipaddress.ip_network(_name).prefixlen == 0
    except ValueError:
        _is_everybody = True
    if _is_everybody:
        raise ImproperlyConfigured(
            f"setting TRUSTED_PROXY_ADDRESSES: must be 127.0.0.1, 10.0.0.0/24, unix and the like, not {_name!r}."
        )
if TRUSTED_PROXY_AUTH_HEADER and not TRUSTED_PROXY_ADDRESSES:
    raise ImproperlyConfigured(
        "setting TRUSTED_PROXY_ADDRESSES: list the proxy's own addresses (required with TRUSTED_PROXY_AUTH_HEADER)."
    )

# --- Privacy ---------------------------------------------------------------------------------------------------------
# What the operator says on /privacy/ besides the facts, and whom listeners turn to.
PRIVACY_TEXT: str = _read("PRIVACY_TEXT", env.str, default="").replace("\\n", "\n").strip()
PRIVACY_CONTACT: str = _read("PRIVACY_CONTACT", env.str, default="").strip()

# --- Spotify ---------------------------------------------------------------------------------------------------------
# The operator's app at developer.spotify.com; without one nothing of Spotify is offered.
SPOTIFY_CLIENT_ID: str = _read("SPOTIFY_CLIENT_ID", env.str, default="").strip()
SPOTIFY_CLIENT_SECRET: str = _read("SPOTIFY_CLIENT_SECRET", env.str, default="").strip()
# Another place than Spotify's own is for `manage.py spotify_sandbox`.
SPOTIFY_ACCOUNTS_URL = _read_text("SPOTIFY_ACCOUNTS_URL", default="https://accounts.spotify.com").rstrip("/")
SPOTIFY_API_URL = _read_text("SPOTIFY_API_URL", default="https://api.spotify.com/v1").rstrip("/") + "/"
_require_https("SPOTIFY_ACCOUNTS_URL", SPOTIFY_ACCOUNTS_URL)
_require_https("SPOTIFY_API_URL", SPOTIFY_API_URL)
# What the tokens are encrypted with in the database; the first encrypts, all decrypt.
SPOTIFY_TOKEN_KEYS: list[str] = _read("SPOTIFY_TOKEN_KEYS", env.list, default=[])
for _key in SPOTIFY_TOKEN_KEYS:
    try:
        Fernet(_key)
    except ValueError:
        raise ImproperlyConfigured(
            "setting SPOTIFY_TOKEN_KEYS: each key must be 32 bytes in URL-safe base64. `manage.py "
            "rotate_spotify_keys --new` prints one."
        ) from None
if not SPOTIFY_TOKEN_KEYS and DEBUG:
    SPOTIFY_TOKEN_KEYS = [local_key(SECRET_KEY)]
if SPOTIFY_CLIENT_ID and not SPOTIFY_TOKEN_KEYS:
    raise ImproperlyConfigured(
        "setting SPOTIFY_TOKEN_KEYS: required with SPOTIFY_CLIENT_ID when DEBUG is false. `manage.py "
        "rotate_spotify_keys --new` prints a key."
    )
# May listeners who connected Spotify sign in with it?
SPOTIFY_SIGN_IN: bool = _read("SPOTIFY_SIGN_IN", env.bool, default=False)
# A callable of the operator's own that knows the audio features of songs, as "package.module.name" (docs/operating.md).
FEATURE_SOURCE: str = _read("FEATURE_SOURCE", env.str, default="").strip()
# Apps from before November 2024 may be given audio features; those of today are refused.
SPOTIFY_EXTENDED_ACCESS: bool = _read("SPOTIFY_EXTENDED_ACCESS", env.bool, default=False)
SOCIALACCOUNT_ADAPTER = "accounts.social.SocialAdapter"
# Tokens go encrypted into a table of our own; an e-mail address that Spotify names says nothing about who someone is.
SOCIALACCOUNT_STORE_TOKENS = SOCIALACCOUNT_EMAIL_AUTHENTICATION = SOCIALACCOUNT_QUERY_EMAIL = False
SOCIALACCOUNT_LOGIN_ON_GET = False

# How many calls and clicks a minute a listener has; visitors count by address, and an address has four times as much.
# Log-in, sign-up and password resets have allauth's own limits.
RATE_LIMITS = {
    "api": _read_count("API_CALLS_PER_MINUTE", default=300),
    "search": _read_count("SEARCHES_PER_MINUTE", default=60),
    "feedback": _read_count("FEEDBACK_PER_MINUTE", default=120),
    "export": 6,
    "server_login": 5,
}

# --- E-mail ----------------------------------------------------------------------------------------------------------
# Without a mail server, letters (password resets) are printed by the server and addresses are not verified.
EMAIL_URL: str = _read("EMAIL_URL", env.str, default="")
if EMAIL_URL:
    _email_settings: dict[str, Any] = _read("EMAIL_URL", env.dj_email_url)
    if not _email_settings.get("EMAIL_BACKEND"):
        raise ImproperlyConfigured(
            "setting EMAIL_URL: must be an address such as submission://user:password@mail.example.org:587."
        )
    # A mail server that does not answer must not hold the page that sends.
    globals().update(_email_settings | {"EMAIL_TIMEOUT": _email_settings.get("EMAIL_TIMEOUT") or 10})
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = _read_text("DEFAULT_FROM_EMAIL", default="earworm@localhost")
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_URL else "none"
# Where no address can be confirmed, a second factor cannot wait for it.
MFA_ALLOW_UNVERIFIED_EMAIL = not EMAIL_URL
# On a new password or address, and on what changes the second factor; see accounts/login/notices.py.
ACCOUNT_EMAIL_NOTIFICATIONS = bool(EMAIL_URL)
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "

# --- Recommender -----------------------------------------------------------------------------------------------------
MODEL_DIR = HOME_DIR / _read_text("MODEL_DIR", default=places.MODELS)
# Where several machines share the models; MODEL_DIR is then each one's own copy. Empty: MODEL_DIR is all there is.
MODEL_STORE: str = _read("MODEL_STORE", env.str, default="").strip().rstrip("/")
if MODEL_STORE and not re.fullmatch(r"s3://[\w.-]+(/(?!\.\.?(/|$))[\w.-]+)*", MODEL_STORE, re.ASCII):
    raise ImproperlyConfigured("setting MODEL_STORE: must be an address such as s3://bucket/folder.")
if MODEL_STORE and importlib.util.find_spec("boto3") is None:
    raise ImproperlyConfigured(
        "setting MODEL_STORE: needs boto3. Run: pip install --require-hashes -r requirements-s3.txt"
    )
# boto3 reads these itself, from the environment; what the .env file says is to count as well.
for _name in ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY", "SESSION_TOKEN", "DEFAULT_REGION", "ENDPOINT_URL", "CA_BUNDLE"):
    if _value := _read(f"AWS_{_name}", env.str, default=""):
        os.environ.setdefault(f"AWS_{_name}", _value)
# Files of older versions are deleted at the next retrain; the active one always stays.
MODELS_KEPT = _read_count("MODELS_KEPT", default=5)

# Hours between two periodic retrains, which the worker asks for by itself; 0: none.
RETRAIN_HOURS = _read_count("RETRAIN_HOURS", default=24)

# Hours between two readings of the music servers and folders, which the worker asks for by itself; 0: none.
LIBRARY_HOURS = _read_count("LIBRARY_HOURS", default=24)

# Hours between two analyses of recordings that are new, which the worker asks for by itself; 0: none.
SOUND_HOURS = _read_count("SOUND_HOURS", default=1)

# The day of the week on which each listener gets a list of songs, which the worker makes in the night; empty: none.
WEEKLY_LIST_DAY: str = _read("WEEKLY_LIST_DAY", env.str, default="monday").strip().lower()
if WEEKLY_LIST_DAY not in ("", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"):
    raise ImproperlyConfigured("setting WEEKLY_LIST_DAY: must be a day such as monday, or empty for no weekly lists.")

# Hours between two renewals of the playlists that listeners keep up to date on music servers; 0: none.
LISTS_HOURS = _read_count("LISTS_HOURS", default=6)

# Days for which it is kept what was shown to whom and why (0: for good).
RECOMMENDATIONS_KEPT_DAYS = _read_count("RECOMMENDATIONS_KEPT_DAYS", default=400)

# --- Work in the background ------------------------------------------------------------------------------------------
# The queue is a table of the site's own database: no further service is needed.
TASKS = {"default": {"BACKEND": "django_tasks_db.DatabaseBackend"}}
# A worker that gives no sign of life for so long is taken for dead, and its job goes to another.
JOB_STALE_SECONDS = _read_count("JOB_STALE_SECONDS", default=60)
if JOB_STALE_SECONDS < 1:
    raise ImproperlyConfigured("setting JOB_STALE_SECONDS: must be 1 or more.")

# --- Player ----------------------------------------------------------------------------------------------------------
# Songs that nobody can play are sketched from their features; so many megabytes of sketches are kept on disk.
SKETCH_DIR = VAR_DIR / "sketches"
SKETCH_CACHE_MB = _read_count("SKETCH_CACHE_MB", default=200)

# Recordings that no browser plays are made MP3s by their music server; so many megabytes of them are kept on disk.
TRANSCODED_CACHE_MB = _read_count("TRANSCODED_CACHE_MB", default=500)

# The web server sends the files of folders itself: "X-Accel-Redirect" (nginx) or "X-Sendfile" (Apache, lighttpd).
MUSIC_SENDFILE: str = _read("MUSIC_SENDFILE", env.str, default="")
if MUSIC_SENDFILE not in ("", "X-Accel-Redirect", "X-Sendfile"):
    raise ImproperlyConfigured("setting MUSIC_SENDFILE: must be X-Accel-Redirect or X-Sendfile, or empty.")

# Players of the proxied music server that ask for random songs get recommended ones.
PROXY_RANDOM_SONGS: bool = _read("PROXY_RANDOM_SONGS", env.bool, default=False)


def _read_links(name: str) -> list[tuple[str, str]]:
    """Read named addresses, ``NAME=https://...{song}...`` with spaces or line ends between them."""
    links = []
    for text in _read(name, env.str, default="").split():
        label, _equals, url = text.partition("=")
        if not (label and url.startswith("https://") and "{song}" in url):
            raise ImproperlyConfigured(f"setting {name}: must be NAME=https://... with {{song}} in it, not {text!r}.")
        links.append((label.replace("_", " "), url))
    return links


# Where the player says that a recording can be searched for.
SEARCH_LINKS = _read_links("SEARCH_LINKS")
# false: no page loads anything from Spotify's hosts, whatever song plays.
SPOTIFY_PLAYER: bool = _read("SPOTIFY_PLAYER", env.bool, default=True)

# --- Language and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("de", "Deutsch")]
FORMAT_MODULE_PATH = "spotify_rec.formats"
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE: str = _read("TIME_ZONE", env.str, default="UTC")
try:
    zoneinfo.ZoneInfo(TIME_ZONE)
except (KeyError, ValueError, OSError):
    raise ImproperlyConfigured(
        f"setting TIME_ZONE: {TIME_ZONE!r} isn't a time zone. Use a name such as Europe/Berlin."
    ) from None
USE_TZ = True
USE_I18N = True

# --- Static files ----------------------------------------------------------------------------------------------------
STATIC_URL = f"{BASE_PATH}/static/"
STATIC_ROOT = VAR_DIR / "static"
if DEBUG:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns where it is missing, though it is not used
VENDOR_DIR = BASE_DIR / "var" / "vendor"
STATICFILES_DIRS = [VENDOR_DIR] if VENDOR_DIR.is_dir() else []
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "spotify_rec.web.static_files.HashedStaticFilesStorage"
    },
}
FIXTURE_DIRS = [BASE_DIR / "fixtures"]

# --- Security --------------------------------------------------------------------------------------------------------
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not INSECURE_HTTP
SECURE_HSTS_SECONDS = _read_count("SECURE_HSTS_SECONDS", default=0 if INSECURE_HTTP else 31536000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
# Scripts and frames are asked of these hosts only by the browser of a listener who plays a song of Spotify's: its Web
# Playback SDK, and its embedded player with what that loads. Covers are asked for wherever a song with one is shown.
_SPOTIFY_SCRIPTS = ["https://sdk.scdn.co", "https://open.spotify.com", "https://embed-cdn.spotifycdn.com"]
_SPOTIFY_FRAMES = ["https://sdk.scdn.co", "https://open.spotify.com"]
_FORMS_LEAD_TO = ["{0.scheme}://{0.netloc}".format(urlsplit(SPOTIFY_ACCOUNTS_URL))] if SPOTIFY_CLIENT_ID else []
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE, *(_SPOTIFY_SCRIPTS if SPOTIFY_PLAYER else [])],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:", *(["https://i.scdn.co"] if SPOTIFY_PLAYER else [])],
        # Previews of songs lie with whoever the catalogue names; they are fetched only when someone presses play.
        "media-src": [SELF, "https:"],
        "frame-src": _SPOTIFY_FRAMES if SPOTIFY_PLAYER else [NONE],
        "object-src": [NONE],
        "base-uri": [SELF],
        # Chromium asks it also where a form's answer leads: "Connect Spotify" ends at Spotify's page.
        "form-action": [SELF, *_FORMS_LEAD_TO],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
MAX_IMPORT_UPLOAD_BYTES = _read_count("MAX_IMPORT_UPLOAD_BYTES", default=100_000_000)
MAX_HISTORY_UPLOAD_BYTES = _read_count("MAX_HISTORY_UPLOAD_BYTES", default=200_000_000)
# What a listener may leave on the disk: uploads of imports that were stopped or failed are kept so long, and none is
# taken that would leave less room than this.
UPLOADS_KEPT_DAYS = _read_count("UPLOADS_KEPT_DAYS", default=7)
MIN_FREE_DISK_MB = _read_count("MIN_FREE_DISK_MB", default=500)
# How much one listener may have of what takes room, and the whole site of what comes from uploads (0: no limit).
LISTENER_MAX_PLAYS = _read_count("LISTENER_MAX_PLAYS", default=1_000_000)
LISTENER_MAX_OWN_SONGS = _read_count("LISTENER_MAX_OWN_SONGS", default=100_000)
LISTENER_MAX_IMPORTS = _read_count("LISTENER_MAX_IMPORTS", default=200)
LISTENER_MAX_PLAYLISTS = _read_count("LISTENER_MAX_PLAYLISTS", default=500)
LISTENER_MAX_PLAYLIST_SONGS = _read_count("LISTENER_MAX_PLAYLIST_SONGS", default=10_000)
LISTENER_MAX_TOKENS = _read_count("LISTENER_MAX_TOKENS", default=20)
SITE_MAX_IMPORTED_PLAYS = _read_count("SITE_MAX_IMPORTED_PLAYS", default=100_000_000)
SITE_MAX_OWN_SONGS = _read_count("SITE_MAX_OWN_SONGS", default=5_000_000)

# --- Logs ------------------------------------------------------------------------------------------------------------
LOG_LEVEL: int = _read("LOG_LEVEL", env.log_level, default="INFO")
LOGGING = logs.logging_settings(level=logging.getLevelName(LOG_LEVEL), is_json=not DEBUG)
# At DEBUG it logs tokens, and each refusal as an error that our own client tells better.
LOGGING["loggers"]["spotipy"] = {"level": "CRITICAL"}
# At DEBUG it logs signed requests, at INFO where it found its keys.
LOGGING["loggers"]["botocore"] = {"level": "WARNING"}
logs.configure()

# --- Numbers for Prometheus ------------------------------------------------------------------------------------------
# Whoever sends it as a bearer token may read /metrics; staff may anyway.
METRICS_TOKEN: str = _read("METRICS_TOKEN", env.str, default="")
# Where the workers of one server write their numbers; gunicorn.conf.py sets it before they start.
PROMETHEUS_DIR: str = _read("PROMETHEUS_MULTIPROC_DIR", env.str, default="")
