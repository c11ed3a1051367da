"""Users, access tokens, stored responses and rate counters."""

from typing import Any, ClassVar

from django.conf import settings
from django.contrib.auth.models import AbstractUser, UserManager
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.names import LOOKS_TAKEN, LookAlikeField, UsernameValidator, look_alike_key
from accounts.regions import region_choices

DEFAULT_ADVENTURE = 0.3
"""The dial of a new listener.

In the learning loop on answers at random (benchmarks, learning_loop) it costs nothing by the tenth page that could be
told from chance, and is ahead of never exploring from the sixteenth on, within chance; 0.1 is no better, and 1 costs a
tenth of the likes.
"""


class LowercaseEmailField(models.EmailField):  # type: ignore[type-arg]
    """An e-mail address kept in lower case, so that plain uniqueness is case-insensitive.

    A unique index on an expression would say the same, but MariaDB has none.
    """

    def get_prep_value(self, value: Any) -> Any:
        prepared = super().get_prep_value(value)
        return prepared.lower() if isinstance(prepared, str) else prepared

    def pre_save(self, model_instance: models.Model, add: bool) -> Any:
        value = super().pre_save(model_instance, add)
        if isinstance(value, str):
            value = value.lower()
            setattr(model_instance, self.attname, value)
        return value


class User(AbstractUser):
    """A listener, or an operator when ``is_staff``."""

    # The username is the only name; others would be of no use.
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    date_joined = None  # type: ignore[assignment]

    username = models.CharField(
        _("username"),
        max_length=150,
        unique=True,
        help_text=_("Letters, digits and . + - _"),
        validators=[UsernameValidator()],
        error_messages={"unique": _("A user with that username already exists.")},
    )
    look_alike = LookAlikeField()
    email = LowercaseEmailField(_("email address"), unique=True)
    region = models.CharField(
        _("region"),
        max_length=2,
        blank=True,
        choices=region_choices,
        help_text=_("Your country. Songs that are popular there come first."),
    )
    explicit_allowed = models.BooleanField(
        _("allow explicit songs"), default=True, help_text=_("Whether songs with explicit lyrics may be recommended.")
    )
    recordings_only = models.BooleanField(
        _("only songs with a recording"),
        default=False,
        db_default=False,
        help_text=_("Whether only songs may be recommended whose recording this site has."),
    )
    unheard_only = models.BooleanField(
        _("only new songs"),
        default=False,
        db_default=False,
        help_text=_("Whether only songs may be recommended that the listener has neither played nor rated."),
    )
    adventure = models.FloatField(
        _("adventurousness"),
        default=DEFAULT_ADVENTURE,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("From 0 (safe choices) to 1 (mostly music the listener doesn't know)."),
    )
    time_zone = models.CharField(
        _("time zone"),
        max_length=64,
        blank=True,
        help_text=_("Used to show dates and times. Leave empty to follow the browser."),
    )
    wants_security_emails = models.BooleanField(
        _("emails about new devices and access tokens"), default=True, db_default=True
    )
    # While it is set, feedback does not count in the taste. It is here because every page's header shows it.
    private_since = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager["User"]] = UserManager()  # type: ignore[assignment]

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        ordering: ClassVar[list[str]] = ["username"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(adventure__gte=0.0, adventure__lte=1.0), name="user_adventure_0_to_1"
            ),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lowercase"),
        ]

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Return the username in lower case, so that case does not matter on log-in."""
        return str(super().normalize_username(username)).lower()

    def clean(self) -> None:
        """Refuse a name that looks like another listener's."""
        super().clean()
        others = User.objects.filter(look_alike=look_alike_key(self.username)).exclude(pk=self.pk)
        if others.exists():
            raise ValidationError({"username": ValidationError(LOOKS_TAKEN, code="looks_taken")})

    @cached_property
    def has_to_set_up_mfa(self) -> bool:
        """Whether the account may operate the site only once it has two-factor authentication, and has none."""
        if not settings.REQUIRE_MFA_FOR_STAFF or not (self.is_staff or self.is_superuser):
            return False
        from allauth.mfa.utils import is_mfa_enabled

        return not is_mfa_enabled(self)

    @property
    def may_operate(self) -> bool:
        """Whether the account is an operator's, with two-factor authentication where the site asks for it."""
        return self.is_staff and not self.has_to_set_up_mfa

    def has_perm(self, perm: str, obj: Any = None) -> bool:
        """Return whether the account has a permission; operators have none without what the site asks of them."""
        return not self.has_to_set_up_mfa and super().has_perm(perm, obj)

    def has_module_perms(self, app_label: str) -> bool:
        """Return whether the account has any permission in an app."""
        return not self.has_to_set_up_mfa and super().has_module_perms(app_label)

    def get_full_name(self) -> str:
        """Return the username: no other name is kept."""
        return self.username

    def get_short_name(self) -> str:
        """Return the username: no other name is kept."""
        return self.username


class ApiToken(models.Model):
    """A key with which a listener's program calls the API in their name. The key itself is shown once and not kept."""

    class Scope(models.TextChoices):
        READ = "read", _("read-only")
        WRITE = "write", _("read and write")

    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    name = models.CharField(
        _("name"), max_length=60, help_text=_("What you'll use it for, for example “backup script”.")
    )
    # SHA-256 of a random key of 256 bits, for which a slow hash adds no safety.
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scope = models.CharField(_("permissions"), max_length=5, choices=Scope, default=Scope.READ)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Empty where it stays valid until it is revoked.
    expires_at = models.DateTimeField(_("valid until"), null=True, blank=True, editable=False)

    class Meta:
        verbose_name = _("access token")
        verbose_name_plural = _("access tokens")
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(scope__in=["read", "write"]), name="api_token_scope"),
            models.CheckConstraint(condition=~models.Q(name=""), name="api_token_name_not_empty"),
        ]

    def __str__(self) -> str:
        return str(self.name)


class StoredResponse(models.Model):
    """The response to a request with an ``Idempotency-Key``, returned again if the request is repeated."""

    user = models.ForeignKey(User, models.CASCADE, related_name="stored_responses")
    key_digest = models.CharField(max_length=64, editable=False)
    # Of method, path and body, to detect a key that is reused for another request.
    request_digest = models.CharField(max_length=64, editable=False)
    response = models.JSONField(default=dict, db_column="answer")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        db_table = "accounts_keptanswer"
        verbose_name = _("stored API response")
        verbose_name_plural = _("stored API responses")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "key_digest"], name="kept_answer_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["user", "created_at"], name="kept_answer_by_listener"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.created_at}"


class RateCount(models.Model):
    """How much of a rate limit one caller has used: see :mod:`accounts.limits.limiter`."""

    # A keyed digest of the limit and the caller, so that no address is stored.
    key = models.CharField(max_length=64, primary_key=True)
    # Theoretical arrival time: when the whole allowance is available again, in milliseconds since 1970 (UTC).
    tat = models.BigIntegerField(db_column="whole_at", db_index=True)

    def __str__(self) -> str:
        return self.key
