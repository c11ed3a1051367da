"""The list of words for searching with slips: of SQLite's own index, a table elsewhere, with trigrams where there are any."""

from django.db import DatabaseError, migrations, transaction

SHORTEST, LONGEST = 4, 40
BATCH = 1000
SQLITE = "CREATE VIRTUAL TABLE catalog_track_vocabulary USING fts5vocab('catalog_track_fts', 'row')"
POSTGRESQL = [
    """CREATE TABLE catalog_search_word (
        word varchar(40) COLLATE "C" PRIMARY KEY, backwards varchar(40) COLLATE "C" NOT NULL)""",
    "CREATE INDEX catalog_search_word_backwards ON catalog_search_word (backwards)",
]
MYSQL = [
    """CREATE TABLE catalog_search_word (
        word varchar(40) NOT NULL PRIMARY KEY, backwards varchar(40) NOT NULL, KEY catalog_search_word_backwards (backwards))
        DEFAULT CHARSET utf8mb4 COLLATE utf8mb4_bin""",
]


def create(apps, schema_editor):
    connection = schema_editor.connection
    if connection.vendor == "sqlite":
        schema_editor.execute(SQLITE)
        return
    for statement in POSTGRESQL if connection.vendor == "postgresql" else MYSQL:
        schema_editor.execute(statement)
    fill(apps, connection)
    if connection.vendor == "postgresql":
        add_trigrams(connection)


def fill(apps, connection):
    words = set()
    texts = apps.get_model("catalog", "Track").objects.order_by().values_list("search_text", flat=True)
    for text in texts.iterator(5000):
        words.update(word for word in text.split() if SHORTEST <= len(word) <= LONGEST)
    ordered = sorted(words)
    with connection.cursor() as cursor:
        for start in range(0, len(ordered), BATCH):
            batch = ordered[start : start + BATCH]
            places = ", ".join(["(%s, %s)"] * len(batch))
            statement = f"INSERT INTO catalog_search_word (word, backwards) VALUES {places}"
            cursor.execute(statement, [part for word in batch for part in (word, word[::-1])])


def add_trigrams(connection):
    """Use pg_trgm where it is at hand and may be used."""
    try:
        with transaction.atomic(using=connection.alias), connection.cursor() as cursor:
            cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_trgm")
            cursor.execute(
                "CREATE INDEX catalog_search_word_trigrams ON catalog_search_word USING gin (word gin_trgm_ops)"
            )
    except DatabaseError:
        # The table's halves of words find as much, but for words with slips in both.
        return


def drop(apps, schema_editor):
    is_sqlite = schema_editor.connection.vendor == "sqlite"
    schema_editor.execute("DROP TABLE " + ("catalog_track_vocabulary" if is_sqlite else "catalog_search_word"))


class Migration(migrations.Migration):
    dependencies = [("catalog", "0007_identity_keys")]

    # Not atomic by itself: MariaDB and MySQL refuse to change tables inside a transaction.
    operations = [migrations.RunPython(create, drop, atomic=False)]
