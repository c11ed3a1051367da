"""Backups of the whole site in one file, and their restoration; used by the commands ``backup`` and ``restore``.

The file is a zip: the database, the files of the models, the uploads that wait for their import, and ``backup.json``,
which says what belongs to it. Settings and keys are not in it.
"""
