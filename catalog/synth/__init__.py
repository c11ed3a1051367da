"""Short pieces of music made from a song's own audio features, for songs that nobody can play otherwise.

``plan`` reads the features, ``score`` writes notes, ``voices`` turns notes into sound, ``render`` puts it together,
``store`` keeps what was rendered. A sketch is no recording of the song and is called "sketch" wherever it plays.
"""
