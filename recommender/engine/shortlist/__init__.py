"""In a catalogue of very many songs: which of them are worth scoring, found without going through all."""

from recommender.engine.shortlist.index import BuildIndex, NearestIndex, OpenIndex
from recommender.engine.shortlist.outlook import Outlook
from recommender.engine.shortlist.shortlist import Shortlist

__all__ = ["BuildIndex", "NearestIndex", "OpenIndex", "Outlook", "Shortlist"]
