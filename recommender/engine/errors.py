"""What can go wrong in the engine, as named exceptions."""

from __future__ import annotations


class EngineError(Exception):
    """Base of all errors the engine raises on purpose."""


class InvalidDataError(EngineError, ValueError):
    """An array of the caller has the wrong shape, type or range; the message names it."""


class ModelStoreError(EngineError):
    """Base of what can be wrong with a stored model."""


class ModelMissingError(ModelStoreError):
    """There is no model at that path."""


class ModelDamagedError(ModelStoreError):
    """A file of the model is missing, cut off or changed."""


class ModelFormatError(ModelStoreError):
    """The model was written by another version of the engine."""
