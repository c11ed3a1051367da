"""Blends: lists of songs for two to six listeners who said yes to it."""

from typing import ClassVar

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from catalog.models import Track

MAX_MEMBERS = 6


class Blend(models.Model):
    """A list of songs for its members, made anew each week. It ends when fewer than two are left.

    It names no listener: who belongs to it says ``BlendMember``.
    """

    name = models.CharField(_("name"), max_length=60)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    # When the second member joined; before that nothing is made.
    began_at = models.DateTimeField(null=True, blank=True, editable=False)
    # Monday of the ISO week that the list was made for, and how many members it was made for: a list of other members
    # is shown to nobody.
    week = models.DateField(null=True, blank=True, editable=False)
    listed_members = models.PositiveSmallIntegerField(
        default=0, editable=False, validators=[MaxValueValidator(MAX_MEMBERS)]
    )

    class Meta:
        verbose_name = _("blend")
        verbose_name_plural = _("blends")
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=~models.Q(name=""), name="blend_name_not_empty"),
            models.CheckConstraint(condition=models.Q(listed_members__lte=MAX_MEMBERS), name="blend_listed_members"),
        ]

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the blend's page."""
        return reverse("recommender:blend", args=[self.pk])


class BlendMember(models.Model):
    """A listener whose taste counts in a blend, because they said yes to it. There are six seats in each."""

    blend = models.ForeignKey(Blend, models.CASCADE, related_name="members")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="blend_members")
    seat = models.PositiveSmallIntegerField(validators=[MaxValueValidator(MAX_MEMBERS - 1)])
    joined_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("member of a blend")
        verbose_name_plural = _("members of blends")
        ordering: ClassVar[list[str]] = ["blend", "seat"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["blend", "user"], name="blend_member_once"),
            models.UniqueConstraint(fields=["blend", "seat"], name="blend_seat_once"),
            models.CheckConstraint(condition=models.Q(seat__lt=MAX_MEMBERS), name="blend_seat_below_six"),
        ]

    def __str__(self) -> str:
        return str(self.user)


class BlendInvitation(models.Model):
    """A name that a member invited.

    It is a text and not a listener: whether an account has that name is looked up by nobody, and so told to nobody.
    """

    blend = models.ForeignKey(Blend, models.CASCADE, related_name="invitations")
    invited_by = models.ForeignKey(BlendMember, models.CASCADE, related_name="invitations")
    username = models.CharField(_("username"), max_length=150, db_index=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("invitation to a blend")
        verbose_name_plural = _("invitations to blends")
        ordering: ClassVar[list[str]] = ["-created_at", "-id"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["blend", "username"], name="blend_invitation_once"),
            models.CheckConstraint(condition=~models.Q(username=""), name="blend_invitation_not_empty"),
        ]

    def __str__(self) -> str:
        return self.username


class BlendRefusal(models.Model):
    """A listener said no to a blend. Whoever invited them sees the invitation as before."""

    blend = models.ForeignKey(Blend, models.CASCADE, related_name="refusals")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="blend_refusals")
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("declined blend")
        verbose_name_plural = _("declined blends")
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["blend", "user"], name="blend_refusal_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.blend}"


class BlendSong(models.Model):
    """A song of a blend's list."""

    blend = models.ForeignKey(Blend, models.CASCADE, related_name="songs")
    track = models.ForeignKey(Track, models.CASCADE, related_name="blend_songs")
    position = models.PositiveSmallIntegerField()

    class Meta:
        verbose_name = _("song of a blend")
        verbose_name_plural = _("songs of blends")
        ordering: ClassVar[list[str]] = ["blend", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["blend", "position"], name="blend_song_position_once"),
            models.UniqueConstraint(fields=["blend", "track"], name="blend_song_track_once"),
        ]

    def __str__(self) -> str:
        return f"{self.blend} {self.position}: {self.track}"


class BlendFit(models.Model):
    """A member whom a song of a blend is for, and why. It goes with the member."""

    song = models.ForeignKey(BlendSong, models.CASCADE, related_name="fits")
    member = models.ForeignKey(BlendMember, models.CASCADE, related_name="fits")
    score = models.FloatField(help_text=_("The song's score for this member, in deviations from their mean."))
    reason = models.JSONField(default=dict, help_text=_("The parts of the score and their causes."))

    class Meta:
        verbose_name = _("member whom a song is for")
        verbose_name_plural = _("members whom songs are for")
        ordering: ClassVar[list[str]] = ["song", "member"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["song", "member"], name="blend_fit_once"),
        ]

    def __str__(self) -> str:
        return f"{self.song} for {self.member}"
