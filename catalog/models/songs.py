"""What can be heard: artists, genres and songs."""

import re
from functools import lru_cache
from typing import Any, ClassVar, Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from catalog.features import SOUND_COLUMNS, FeatureError, check_features
from catalog.fields import ExactCharField, FeatureColumn, HttpsURLField
from catalog.genre_labels import genre_label
from catalog.identity.text import SEARCH_LENGTH, TITLE_LENGTH, artist_key, exact_artist_key, fold, track_text

SPOTIFY_ID_PATTERN = r"^[0-9A-Za-z]{22}$"
# Prefix of the ids of invented songs, which look like Spotify's but do not exist there.
INVENTED_ID_PREFIX = "demo"
# Spotify's host for album covers, the only host that pages load pictures from.
COVER_HOST = "https://i.scdn.co/"
COVER_LENGTH = 200
# MusicBrainz ids are UUIDs.
MBID_LENGTH = 36


@lru_cache(maxsize=8)
def _page(name: str) -> str:
    """Return the address of that name with ``{}`` where the id goes: a list asks for a hundred of them."""
    return reverse(name, args=[0]).replace("/0/", "/{}/")


class Artist(models.Model):
    """A performer, known by name."""

    name = models.CharField(_("name"), max_length=300)
    # A digest of the folded name (or of the exact one, see importing/names.py): alike under every collation.
    key = ExactCharField(max_length=32, unique=True, editable=False)
    mbid = ExactCharField(_("MusicBrainz ID"), max_length=MBID_LENGTH, blank=True, db_default="", editable=False)
    search_name = ExactCharField(max_length=300, db_index=True, editable=False)

    class Meta:
        verbose_name = _("artist")
        verbose_name_plural = _("artists")
        ordering: ClassVar[list[str]] = ["search_name", "id"]

    def __str__(self) -> str:
        return str(self.name)

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save with the derived columns brought up to date."""
        self.refresh_derived()
        super().save(*args, **kwargs)

    def refresh_derived(self) -> None:
        """Set the columns that follow from the name."""
        # A file may have distinguished the artist from another with almost the same name.
        if self.key != exact_artist_key(self.name):
            self.key = artist_key(self.name)
        self.search_name = fold(self.name)[:300]

    def get_absolute_url(self) -> str:
        """Return the artist's page."""
        return _page("catalog:artist").format(self.pk)


class GenreManager(models.Manager["Genre"]):
    """Adds the natural key, by which fixtures name genres."""

    def get_by_natural_key(self, name: str) -> "Genre":
        """Return the genre of that name."""
        return self.get(name=name)


class Genre(models.Model):
    """A genre tag as the catalogue spells it, in lower case."""

    name = ExactCharField(_("name"), max_length=100, unique=True)

    objects = GenreManager()

    class Meta:
        verbose_name = _("genre")
        verbose_name_plural = _("genres")
        ordering: ClassVar[list[str]] = ["name"]

    def __str__(self) -> str:
        return str(self.name)

    @property
    def label(self) -> str:
        """How pages write it."""
        return genre_label(self.name)

    def natural_key(self) -> tuple[str]:
        """Return the key by which fixtures name the genre."""
        return (self.name,)

    def get_absolute_url(self) -> str:
        """Return the genre's page."""
        return _page("catalog:genre").format(self.pk)


class TrackQuerySet(models.QuerySet["Track"]):
    """Reads shared by pages."""

    def active(self) -> Self:
        """Only songs that are not hidden."""
        return self.filter(is_active=True)

    def for_list(self) -> Self:
        """With all that a list row shows, in a constant number of queries."""
        credited = models.Prefetch("credits", TrackArtist.objects.select_related("artist").order_by("position"))
        return self.prefetch_related(credited, "genres")


class TrackManager(models.Manager["Track"]):
    """Adds the natural key, by which fixtures name songs."""

    def get_by_natural_key(self, spotify_id: str) -> "Track":
        """Return the song of that Spotify id."""
        return self.get(spotify_id=spotify_id)


class Track(models.Model):
    """A song, with where it and its audio features came from."""

    class Origin(models.TextChoices):
        CSV = "csv", _("CSV import")
        DEMO = "demo", _("made up for the demo")
        OPERATOR = "operator", _("entered by hand")
        SPOTIFY = "spotify", _("found on Spotify")
        SERVER = "server", _("on a music server or in a folder")
        # Hidden: it counts for the taste of the listeners who imported it and is shown to nobody else.
        PRIVATE = "private", _("from an imported listening history")

    class FeaturesOrigin(models.TextChoices):
        NONE = "", _("none")
        CSV = "csv", _("from the imported file")
        DEMO = "demo", _("made up for the demo")
        OPERATOR = "operator", _("entered by hand")
        ESTIMATED = "estimated", _("estimated from similar songs")
        SPOTIFY = "spotify", _("from Spotify")
        SOURCE = "source", _("from this site's own data")
        MEASURED = "measured", _("measured from the recording")

    spotify_id = ExactCharField(
        _("Spotify ID"),
        max_length=22,
        unique=True,
        null=True,
        blank=True,
        validators=[RegexValidator(SPOTIFY_ID_PATTERN, _("22 letters and digits."))],
    )
    title = models.CharField(_("title"), max_length=TITLE_LENGTH)
    album = models.CharField(_("album"), max_length=TITLE_LENGTH, blank=True)
    artists: "models.ManyToManyField[Artist, TrackArtist]" = models.ManyToManyField(
        Artist, through="TrackArtist", related_name="tracks", verbose_name=_("artists")
    )
    genres: "models.ManyToManyField[Genre, Any]" = models.ManyToManyField(
        Genre, related_name="tracks", blank=True, verbose_name=_("genres")
    )
    popularity = models.PositiveSmallIntegerField(
        _("popularity"), null=True, blank=True, validators=[MaxValueValidator(100)], help_text=_("From 0 to 100.")
    )
    duration_ms = models.PositiveIntegerField(
        _("duration"), null=True, blank=True, validators=[MinValueValidator(1)], help_text=_("In milliseconds.")
    )
    explicit = models.BooleanField(_("explicit"), null=True, blank=True, help_text=_("Leave empty if unknown."))
    release_year = models.PositiveSmallIntegerField(
        _("release year"), null=True, blank=True, validators=[MinValueValidator(1000), MaxValueValidator(9999)]
    )
    preview_url = HttpsURLField(_("preview"), blank=True, max_length=500)
    cover_url = HttpsURLField(
        _("cover"),
        blank=True,
        db_default="",  # The importer writes rows without the model.
        max_length=COVER_LENGTH,
        validators=[RegexValidator("^" + re.escape(COVER_HOST), _("An image on Spotify's host, i.scdn.co."))],
    )
    isrc = ExactCharField(_("ISRC"), max_length=12, blank=True, db_index=True)
    mbid = ExactCharField(
        _("MusicBrainz ID"), max_length=MBID_LENGTH, blank=True, db_default="", db_index=True, editable=False
    )
    # Whether a music server or a folder has the recording now; kept by catalog.sources.library.writing.
    has_file = models.BooleanField(_("file"), default=False, db_default=False, editable=False)
    features = models.JSONField(_("audio features"), default=dict, blank=True, help_text=_("Leave out unknown values."))
    features_origin = models.CharField(
        _("source of the features"), max_length=10, choices=FeaturesOrigin, default=FeaturesOrigin.NONE, blank=True
    )
    origin = models.CharField(_("source"), max_length=10, choices=Origin, default=Origin.OPERATOR)
    is_active = models.BooleanField(
        _("visible"), default=True, help_text=_("Hidden songs don't appear anywhere on the site.")
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    # Derived, kept here so that lists, search and version matching need no join.
    artist_names = models.CharField(max_length=TITLE_LENGTH, blank=True, editable=False)
    recording_key = ExactCharField(max_length=32, editable=False, db_index=True)
    search_key = ExactCharField(max_length=SEARCH_LENGTH, editable=False)
    search_text = models.TextField(editable=False, blank=True)
    tempo = FeatureColumn()
    energy = FeatureColumn()
    valence = FeatureColumn()
    danceability = FeatureColumn()
    acousticness = FeatureColumn()
    instrumentalness = FeatureColumn()

    objects = TrackManager.from_queryset(TrackQuerySet)()

    class Meta:
        verbose_name = _("song")
        verbose_name_plural = _("songs")
        ordering: ClassVar[list[str]] = ["search_key", "id"]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["is_active", "-popularity", "id"], name="track_browse_popular"),
            models.Index(fields=["is_active", "search_key", "id"], name="track_browse_title"),
            models.Index(fields=["is_active", "-id"], name="track_browse_newest"),
            # A covering index for filters, in the order of popularity, so that rejected songs are not read.
            models.Index(
                fields=["is_active", "-popularity", "id", "release_year", *SOUND_COLUMNS], name="track_browse_sound"
            ),
            models.Index(fields=["has_file"], name="track_by_file"),
        ]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=models.Q(popularity__lte=100), name="track_popularity_0_to_100"),
            models.CheckConstraint(condition=models.Q(duration_ms__gte=1), name="track_duration_positive"),
            models.CheckConstraint(condition=~models.Q(title=""), name="track_title_not_empty"),
            models.CheckConstraint(
                condition=models.Q(cover_url="") | models.Q(cover_url__startswith=COVER_HOST), name="track_cover_host"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title} - {self.artist_names}" if self.artist_names else self.title

    def save(self, *args: Any, **options: Any) -> None:
        """Save; columns derived from the features are saved with them."""
        if options.get("update_fields") is not None and "features" in options["update_fields"]:
            options["update_fields"] = {*options["update_fields"], *SOUND_COLUMNS}
        super().save(*args, **options)

    def natural_key(self) -> tuple[str | None]:
        """Return the key by which fixtures name the song."""
        return (self.spotify_id,)

    def clean(self) -> None:
        """Check the features against the schema of :mod:`catalog.features`."""
        try:
            self.features = check_features(self.features)
        except FeatureError as error:
            raise ValidationError({"features": str(error)}) from error
        self.spotify_id = self.spotify_id or None

    def refresh_derived(self, artist_names: list[str]) -> None:
        """Set the columns that follow from title, album and ``artist_names`` (in credit order)."""
        text = track_text(self.title, self.album, artist_names)
        self.artist_names = text.artist_names
        self.recording_key = text.recording_key
        self.search_key = text.search_key
        self.search_text = text.search_text

    def get_absolute_url(self) -> str:
        """Return the song's page."""
        return _page("catalog:track").format(self.pk)

    @property
    def is_on_spotify(self) -> bool:
        """Whether the id really is one of Spotify's."""
        return bool(self.spotify_id) and not str(self.spotify_id).startswith(INVENTED_ID_PREFIX)


class TrackArtist(models.Model):
    """A credit: which artist stands at which place of a song."""

    track = models.ForeignKey(Track, models.CASCADE, related_name="credits")
    artist = models.ForeignKey(Artist, models.CASCADE, related_name="credits")
    position = models.PositiveSmallIntegerField(default=0)

    class Meta:
        ordering: ClassVar[list[str]] = ["track", "position"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["track", "artist"], name="credit_once"),
            models.UniqueConstraint(fields=["track", "position"], name="credit_position_once"),
        ]

    def __str__(self) -> str:
        return f"{self.artist} ({self.position + 1})"


class AddedSong(models.Model):
    """Which listener added a song that was found on Spotify, so that it can go with their connection."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.CASCADE, related_name="added_songs")
    track = models.ForeignKey(Track, models.CASCADE, related_name="added_by")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("song added from Spotify")
        verbose_name_plural = _("songs added from Spotify")
        ordering: ClassVar[list[str]] = ["user", "pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["user", "track"], name="added_song_once"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.track}"


def display_name(target: Track | Artist | Genre) -> str:
    """Return how pages write a song, an artist or a genre."""
    if isinstance(target, Genre):
        return target.label
    return target.title if isinstance(target, Track) else target.name


class TrackCode(models.Model):
    """A further code of a song: it may have several ISRCs and recordings at MusicBrainz; the first is at the song."""

    class Scheme(models.TextChoices):
        ISRC = "isrc", "ISRC"
        MBID = "mbid", "MusicBrainz ID"

    track = models.ForeignKey(Track, models.CASCADE, related_name="codes")
    scheme = models.CharField(max_length=5, choices=Scheme)
    value = ExactCharField(max_length=MBID_LENGTH)

    class Meta:
        ordering: ClassVar[list[str]] = ["pk"]
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["scheme", "value", "track"], name="track_code_once"),
        ]

    def __str__(self) -> str:
        return f"{self.scheme}: {self.value}"
