"""Which years listeners share, and until when."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

FIRST_YEAR, LAST_YEAR = 1900, 2999


class YearShare(models.Model):
    """A listener's year that everybody sees who has its link, until it ends. The link itself is not stored."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="year_shares")
    year = models.PositiveSmallIntegerField(
        _("year"), validators=[MinValueValidator(FIRST_YEAR), MaxValueValidator(LAST_YEAR)]
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    ends_at = models.DateTimeField(_("ends"))

    class Meta:
        verbose_name = _("shared year")
        verbose_name_plural = _("shared years")
        ordering: ClassVar[list[str]] = ["user", "-year"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "year"], name="year_share_once"),
            models.CheckConstraint(
                condition=models.Q(year__gte=FIRST_YEAR, year__lte=LAST_YEAR), name="year_share_year_in_range"
            ),
            models.CheckConstraint(
                condition=models.Q(ends_at__gt=models.F("created_at")), name="year_share_ends_later"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.year}"
