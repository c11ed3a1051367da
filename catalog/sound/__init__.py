"""The sound of own recordings, measured: tempo, key, mode and loudness; and what follows from these by a calibration.

``measuring`` says what the numbers of an excerpt are worth, ``child`` is the process that decodes and analyses,
``analyser`` runs it within limits, ``services`` goes through the recordings and fills the songs' features.
"""
