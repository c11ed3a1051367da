"""Catalogue files: reading them (no database needed) and bringing them into the database.

``source`` opens and unpacks, ``layout`` knows the columns, ``values`` and ``artists`` the values, ``reader`` puts them
together; ``merge`` joins what a file says of one song, ``plan`` compares it with the database, ``writer`` writes, and
``service`` is what commands and pages call.
"""
