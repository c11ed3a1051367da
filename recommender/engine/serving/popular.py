"""The most popular songs, by the rules of any page; needs no model."""

from __future__ import annotations

from recommender.engine.data import Catalogue
from recommender.engine.data.arrays import FloatArray, IntArray
from recommender.engine.serving.config import PageConfig
from recommender.engine.serving.constraints import pick_page
from recommender.engine.serving.recommend import Request, allowed_tracks


def most_popular(catalogue: Catalogue, popularity: FloatArray, request: Request) -> IntArray:
    """Return the rows of `request.k` allowed songs, the most popular first; ties by row.

    popularity: float32[n], by whatever measure. Raise InvalidDataError if the request points outside the catalogue.
    """
    allowed = allowed_tracks(catalogue, request.excluded, request).mask()
    return pick_page(popularity, allowed, catalogue, request.k, PageConfig().max_per_artist)
