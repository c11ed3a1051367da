"""How pages write the genres whose names in catalogues are slugs: "R&B" and not "r-n-b"."""

from collections.abc import Mapping

# In running text, so in lower case but for names: what stands alone begins with a capital by the style sheet.
_LABELS: Mapping[str, str] = {
    "alt-rock": "alternative rock",
    "black-metal": "black metal",
    "brazil": "Brazilian",
    "british": "British",
    "chicago-house": "Chicago house",
    "death-metal": "death metal",
    "deep-house": "deep house",
    "detroit-techno": "Detroit techno",
    "disney": "Disney",
    "drum-and-bass": "drum and bass",
    "edm": "EDM",
    "forro": "forró",
    "french": "French",
    "german": "German",
    "hard-rock": "hard rock",
    "heavy-metal": "heavy metal",
    "honky-tonk": "honky-tonk",
    "idm": "IDM",
    "indian": "Indian",
    "indie-pop": "indie pop",
    "iranian": "Iranian",
    "j-dance": "J-dance",
    "j-idol": "J-idol",
    "j-pop": "J-pop",
    "j-rock": "J-rock",
    "k-pop": "K-pop",
    "latin": "Latin",
    "latino": "Latino",
    "malay": "Malay",
    "minimal-techno": "minimal techno",
    "mpb": "MPB",
    "new-age": "new age",
    "pop-film": "film pop",
    "power-pop": "power pop",
    "progressive-house": "progressive house",
    "psych-rock": "psychedelic rock",
    "punk-rock": "punk rock",
    "r-n-b": "R&B",
    "rnb": "R&B",
    "rock-n-roll": "rock \u2019n\u2019 roll",
    "show-tunes": "show tunes",
    "spanish": "Spanish",
    "swedish": "Swedish",
    "trip-hop": "trip-hop",
    "turkish": "Turkish",
    "world-music": "world music",
}


def genre_label(name: str) -> str:
    """Return how pages write a genre; a name that is no known slug stays as the catalogue spells it."""
    return _LABELS.get(name, name)
