"""Records in one SQLite file. Nobody outside this folder knows of SQLite."""
