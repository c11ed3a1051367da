"""Between the database or files and the engine: rows become arrays, and what the engine found, rows."""
