"""What search and browsing need of each database beyond plain indexes.

SQLite gets an FTS5 table without a copy of the text (external content), kept up to date by triggers; PostgreSQL a GIN
index over the words, and an order of popularity with unknown values last; MariaDB and MySQL a FULLTEXT index.
"""

from django.db import migrations

# The text is folded already (catalog.identity.text.fold): lower case, words parted by one space. The `ascii` tokenizer then
# parts it at the spaces and takes every other letter as it is.
SQLITE_FORWARD = [
    """CREATE VIRTUAL TABLE catalog_track_fts USING fts5(
        search_text, content='catalog_track', content_rowid='id', tokenize='ascii')""",
    """CREATE TRIGGER catalog_track_fts_insert AFTER INSERT ON catalog_track BEGIN
        INSERT INTO catalog_track_fts(rowid, search_text) VALUES (new.id, new.search_text);
    END""",
    # An external content table is told the old text to forget it.
    """CREATE TRIGGER catalog_track_fts_delete AFTER DELETE ON catalog_track BEGIN
        INSERT INTO catalog_track_fts(catalog_track_fts, rowid, search_text)
        VALUES ('delete', old.id, old.search_text);
    END""",
    # WHEN: an upsert names the column on every row, though hardly any text changes.
    """CREATE TRIGGER catalog_track_fts_update AFTER UPDATE OF search_text ON catalog_track
    WHEN old.search_text IS NOT new.search_text OR old.id IS NOT new.id BEGIN
        INSERT INTO catalog_track_fts(catalog_track_fts, rowid, search_text)
        VALUES ('delete', old.id, old.search_text);
        INSERT INTO catalog_track_fts(rowid, search_text) VALUES (new.id, new.search_text);
    END""",
    "INSERT INTO catalog_track_fts(catalog_track_fts) VALUES ('rebuild')",
]
SQLITE_BACKWARD = [
    "DROP TRIGGER catalog_track_fts_update",
    "DROP TRIGGER catalog_track_fts_delete",
    "DROP TRIGGER catalog_track_fts_insert",
    "DROP TABLE catalog_track_fts",
]
POSTGRESQL_FORWARD = [
    "CREATE INDEX catalog_track_words ON catalog_track USING gin (to_tsvector('simple', search_text))",
    "DROP INDEX track_browse_popular",
    "CREATE INDEX track_browse_popular ON catalog_track (is_active, popularity DESC NULLS LAST, id)",
]
POSTGRESQL_BACKWARD = [
    "DROP INDEX track_browse_popular",
    "CREATE INDEX track_browse_popular ON catalog_track (is_active, popularity DESC, id)",
    "DROP INDEX catalog_track_words",
]
MYSQL_FORWARD = ["CREATE FULLTEXT INDEX catalog_track_words ON catalog_track (search_text)"]
MYSQL_BACKWARD = ["DROP INDEX catalog_track_words ON catalog_track"]

FORWARD = {"sqlite": SQLITE_FORWARD, "postgresql": POSTGRESQL_FORWARD, "mysql": MYSQL_FORWARD}
BACKWARD = {"sqlite": SQLITE_BACKWARD, "postgresql": POSTGRESQL_BACKWARD, "mysql": MYSQL_BACKWARD}


def create(apps, schema_editor):
    for statement in FORWARD[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


def drop(apps, schema_editor):
    for statement in BACKWARD[schema_editor.connection.vendor]:
        schema_editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("catalog", "0001_initial")]

    # Not atomic by itself: MariaDB and MySQL refuse to change tables inside a transaction.
    operations = [migrations.RunPython(create, drop, atomic=False)]
