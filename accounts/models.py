"""Who the listener is."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser, UserManager
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.regions import region_choices


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

    # A listener is known by the username alone: we do not ask for names we have no use for.
    first_name = None  # type: ignore[assignment]
    last_name = None  # type: ignore[assignment]
    date_joined = None  # type: ignore[assignment]

    email = LowercaseEmailField(_("e-mail address"), unique=True)
    region = models.CharField(
        _("region"),
        max_length=2,
        blank=True,
        choices=region_choices,
        help_text=_("Where you are: songs popular there come first."),
    )
    explicit_allowed = models.BooleanField(
        _("explicit songs"), default=True, help_text=_("May songs with explicit lyrics be recommended?")
    )
    adventure = models.FloatField(
        _("adventure"),
        default=0.3,
        validators=[MinValueValidator(0.0), MaxValueValidator(1.0)],
        help_text=_("0: only what surely fits; 1: mostly things you may not know."),
    )
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)

    objects: ClassVar[UserManager["User"]] = UserManager()  # type: ignore[assignment]

    REQUIRED_FIELDS: ClassVar[list[str]] = ["email"]

    class Meta:
        ordering: ClassVar[list[str]] = ["username"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=models.Q(adventure__gte=0.0, adventure__lte=1.0), name="user_adventure_0_to_1"
            ),
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lowercase"),
        ]

    @classmethod
    def normalize_username(cls, username: str) -> str:
        """Return the username in lower case: whoever logs in need not remember the case."""
        return str(super().normalize_username(username)).lower()

    def get_full_name(self) -> str:
        """Return the username: no other name is kept."""
        return self.username

    def get_short_name(self) -> str:
        """Return the username: no other name is kept."""
        return self.username
