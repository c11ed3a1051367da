"""All settings, from the environment. `.env.example` lists every one; a bad value stops the start."""

import zoneinfo
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import environs
from csp.constants import NONCE, NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

BASE_DIR = Path(__file__).resolve().parent.parent

env = environs.Env()
env.read_env(BASE_DIR / ".env", recurse=False)


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
        raise ImproperlyConfigured(f"setting {name}: is empty (leave it out for {default!r})")
    return value


def _read_count(name: str, default: int) -> int:
    """Read a whole number of 0 or more."""
    value: int = _read(name, env.int, default=default)
    if value < 0:
        raise ImproperlyConfigured(f"setting {name}: {value} is below 0")
    return value


# --- Core ------------------------------------------------------------------------------------------------------------
DEBUG: bool = _read("DEBUG", env.bool, default=True)
SITE_NAME = _read_text("SITE_NAME", default="Earworm")
_LOCAL_KEY = "for local use only: not accepted when DEBUG is false"
SECRET_KEY: str = _read("SECRET_KEY", env.str, default="") or (_LOCAL_KEY if DEBUG else "")
if not DEBUG and (len(SECRET_KEY) < 50 or len(set(SECRET_KEY)) < 5 or SECRET_KEY == _LOCAL_KEY):
    raise ImproperlyConfigured("setting SECRET_KEY: outside DEBUG, 50 random characters or more are needed")
ALLOWED_HOSTS: list[str] = _read("ALLOWED_HOSTS", env.list, default=[])
if not DEBUG and not ALLOWED_HOSTS:
    raise ImproperlyConfigured("setting ALLOWED_HOSTS: outside DEBUG, name the site's hosts, separated by commas")
CSRF_TRUSTED_ORIGINS: list[str] = _read("CSRF_TRUSTED_ORIGINS", env.list, default=[])
for _origin in CSRF_TRUSTED_ORIGINS:
    if urlsplit(_origin).scheme not in ("http", "https") or not urlsplit(_origin).netloc:
        raise ImproperlyConfigured(f"setting CSRF_TRUSTED_ORIGINS: {_origin!r} does not read https://host")

INSTALLED_APPS = [
    "spotify_rec",
    "recommender",
    "feedback",
    "catalog",
    "accounts",
    "allauth",
    "allauth.account",
    "crispy_forms",
    "crispy_bootstrap5",
    "csp",
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
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
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
                "spotify_rec.context.site",
            ]
        },
    }
]
CRISPY_ALLOWED_TEMPLATE_PACKS = "bootstrap5"
CRISPY_TEMPLATE_PACK = "bootstrap5"

# --- Database --------------------------------------------------------------------------------------------------------
VAR_DIR = BASE_DIR / "var"
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
        raise ImproperlyConfigured("setting DATABASE_URL: names no database")
    if engine == "sqlite3":
        # Opening a file costs little, and a kept connection would hold on to a file that was replaced by a restore.
        database["CONN_MAX_AGE"] = 0
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
        raise ImproperlyConfigured(f"setting DATABASE_URL: {engine} is not supported: sqlite, postgres, mysql are")
    database["TEST"] = {"CHARSET": "utf8mb4"} if engine == "mysql" else {}
    return database


def _sqlite_path(name: str) -> Path:
    """Return where the file ``name`` is (relative: inside the project), in a directory that is there."""
    path = BASE_DIR / name
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

# Rate limits count here. In the database's own cache table several workers share the counts.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "site_cache",
        # Far more than the default of 300: rate limits that were thrown out early would not limit.
        "OPTIONS": {"MAX_ENTRIES": 20_000},
    }
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
ACCOUNT_ADAPTER = "accounts.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "signup": "accounts.forms.SignupForm",
    "login": "accounts.forms.LoginForm",
    "add_email": "accounts.forms.ChangeEmailForm",
}
ACCOUNT_SIGNUP_REDIRECT_URL = "feedback:start"
ACCOUNT_LOGOUT_REDIRECT_URL = "catalog:browse"
ACCOUNT_PRESERVE_USERNAME_CASING = False
ACCOUNT_SESSION_REMEMBER = None
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_CHANGE_EMAIL = True
# A new e-mail address asks for the password once more, for it could be used to reset it.
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ALLAUTH_TRUSTED_PROXY_COUNT = _read_count("TRUSTED_PROXY_COUNT", default=0)

# --- E-mail ----------------------------------------------------------------------------------------------------------
# Without a mail server, letters (password resets) are printed by the server and addresses are not verified.
EMAIL_URL: str = _read("EMAIL_URL", env.str, default="")
if EMAIL_URL:
    _email_settings: dict[str, Any] = _read("EMAIL_URL", env.dj_email_url)
    if not _email_settings.get("EMAIL_BACKEND"):
        raise ImproperlyConfigured("setting EMAIL_URL: Not a valid email URL.")
    globals().update(_email_settings)
else:
    EMAIL_BACKEND = "django.core.mail.backends.console.EmailBackend"
DEFAULT_FROM_EMAIL = _read_text("DEFAULT_FROM_EMAIL", default="earworm@localhost")
ACCOUNT_EMAIL_VERIFICATION = "mandatory" if EMAIL_URL else "none"
ACCOUNT_EMAIL_SUBJECT_PREFIX = f"[{SITE_NAME}] "

# --- Recommender -----------------------------------------------------------------------------------------------------
MODEL_DIR = BASE_DIR / _read_text("MODEL_DIR", default="data/models")
# Files of older versions are deleted at the next retrain; the active one always stays.
MODELS_KEPT = _read_count("MODELS_KEPT", default=5)

# --- Language and time -----------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
TIME_ZONE: str = _read("TIME_ZONE", env.str, default="UTC")
try:
    zoneinfo.ZoneInfo(TIME_ZONE)
except (KeyError, ValueError, OSError):
    raise ImproperlyConfigured(f"setting TIME_ZONE: {TIME_ZONE!r} is no time zone, such as Europe/Berlin") from None
USE_TZ = True
USE_I18N = True

# --- Static files ----------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATIC_ROOT = VAR_DIR / "static"
if DEBUG:
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)  # whitenoise warns where it is missing, though it is not used
VENDOR_DIR = VAR_DIR / "vendor"
STATICFILES_DIRS = [VENDOR_DIR] if VENDOR_DIR.is_dir() else []
WHITENOISE_KEEP_ONLY_HASHED_FILES = True
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}
FIXTURE_DIRS = [BASE_DIR / "fixtures"]

# --- Security --------------------------------------------------------------------------------------------------------
# HTTPS is assumed outside DEBUG; INSECURE_HTTP is for trying the production settings on a machine of one's own.
INSECURE_HTTP: bool = _read("INSECURE_HTTP", env.bool, default=DEBUG)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = not INSECURE_HTTP
SECURE_HSTS_SECONDS = _read_count("SECURE_HSTS_SECONDS", default=0 if INSECURE_HTTP else 31536000)
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SECURE_HSTS_SECONDS > 0
if ALLAUTH_TRUSTED_PROXY_COUNT:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF, NONCE],
        "style-src": [SELF, NONCE],
        "img-src": [SELF, "data:"],
        # Previews of songs lie with whoever the catalogue names; they are fetched only when someone presses play.
        "media-src": [SELF, "https:"],
        "object-src": [NONE],
        "base-uri": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    }
}
DATA_UPLOAD_MAX_MEMORY_SIZE = 2_621_440
MAX_IMPORT_UPLOAD_BYTES = _read_count("MAX_IMPORT_UPLOAD_BYTES", default=100_000_000)

# --- Logs ------------------------------------------------------------------------------------------------------------
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "{asctime} {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": _read("LOG_LEVEL", env.log_level, default="INFO")},
    "loggers": {"django.server": {"handlers": ["console"], "level": "INFO", "propagate": False}},
}
