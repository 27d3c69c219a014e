"""The tables, in the order in which they came to be: a database is brought up to date when it is opened."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from ..folder import DataFolderError

# Append only: a database remembers by its number which of these it has seen. Times are whole
# microseconds since 1970.
MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE files (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            project TEXT NOT NULL,
            id TEXT NOT NULL,
            display_name TEXT,
            mime_type TEXT NOT NULL,
            size INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            state TEXT NOT NULL,
            created_us INTEGER NOT NULL,
            updated_us INTEGER NOT NULL,
            expires_us INTEGER NOT NULL,
            UNIQUE (project, id)
        )""",
        "CREATE INDEX files_by_age ON files (project, seq)",
        "CREATE INDEX files_by_content ON files (sha256)",
        """CREATE TABLE uploads (
            id TEXT PRIMARY KEY,
            project TEXT NOT NULL,
            file_id TEXT NOT NULL,
            display_name TEXT,
            mime_type TEXT,
            size INTEGER,
            state TEXT NOT NULL,
            received INTEGER NOT NULL,
            sha256 TEXT,
            created_us INTEGER NOT NULL
        )""",
    ),
    (
        "ALTER TABLE files ADD COLUMN duration_us INTEGER",
        "ALTER TABLE files ADD COLUMN error TEXT",
        "CREATE INDEX files_by_expiry ON files (expires_us)",
        "CREATE INDEX files_pending ON files (seq) WHERE state = 'PROCESSING'",
        # Sizes stand in the index: what a project uses is summed with every block that is acknowledged.
        "CREATE INDEX files_by_room ON files (project, expires_us, size)",
        "DROP INDEX files_by_content",
        "CREATE INDEX files_by_content ON files (sha256, size)",
        "CREATE INDEX uploads_by_age ON uploads (created_us)",
        "CREATE INDEX uploads_by_room ON uploads (project, created_us, received) WHERE state = 'active'",
    ),
    (
        # One that is hidden is there for those that were built on it. `children` counts those, whether or
        # not they are hidden themselves; the last of them to go takes it along.
        """CREATE TABLE interactions (
            seq INTEGER PRIMARY KEY AUTOINCREMENT,
            project TEXT NOT NULL,
            id TEXT NOT NULL,
            previous TEXT,
            children INTEGER NOT NULL DEFAULT 0,
            hidden INTEGER NOT NULL DEFAULT 0,
            unfinished INTEGER NOT NULL,
            model TEXT NOT NULL,
            created_us INTEGER NOT NULL,
            updated_us INTEGER NOT NULL,
            background INTEGER NOT NULL,
            attempt INTEGER NOT NULL,
            media_count INTEGER NOT NULL,
            sent BLOB NOT NULL,
            outcome BLOB NOT NULL,
            UNIQUE (project, id)
        )""",
        "CREATE INDEX interactions_by_age ON interactions (created_us) WHERE hidden = 0",
        "CREATE INDEX interactions_unfinished ON interactions (seq) WHERE unfinished = 1",
        "CREATE INDEX interactions_dead ON interactions (seq) WHERE hidden = 1 AND children = 0",
        """CREATE TABLE interaction_media (
            interaction INTEGER NOT NULL,
            position INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            size INTEGER NOT NULL,
            mime_type TEXT NOT NULL,
            PRIMARY KEY (interaction, position)
        ) WITHOUT ROWID""",
        # The contents that a project's interactions name, each once, and how often.
        """CREATE TABLE interaction_contents (
            project TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            size INTEGER NOT NULL,
            uses INTEGER NOT NULL,
            PRIMARY KEY (project, sha256)
        ) WITHOUT ROWID""",
        "CREATE INDEX interaction_contents_by_content ON interaction_contents (sha256, size)",
        # What a project's interactions take. Triggers keep it, so that it is exact whoever writes: it is
        # asked with every request, when there may be too many rows to add up.
        """CREATE TABLE interaction_rooms (
            project TEXT PRIMARY KEY,
            bytes INTEGER NOT NULL
        ) WITHOUT ROWID""",
        """CREATE TRIGGER interactions_added AFTER INSERT ON interactions BEGIN
            UPDATE interactions SET children = children + 1 WHERE project = new.project AND id = new.previous;
            INSERT INTO interaction_rooms VALUES (new.project, length(new.sent) + length(new.outcome))
                ON CONFLICT (project) DO UPDATE SET bytes = bytes + excluded.bytes;
        END""",
        """CREATE TRIGGER interactions_changed AFTER UPDATE OF outcome ON interactions BEGIN
            UPDATE interaction_rooms SET bytes = bytes + length(new.outcome) - length(old.outcome)
                WHERE project = new.project;
        END""",
        """CREATE TRIGGER interactions_removed AFTER DELETE ON interactions BEGIN
            UPDATE interactions SET children = children - 1 WHERE project = old.project AND id = old.previous;
            UPDATE interaction_rooms SET bytes = bytes - length(old.sent) - length(old.outcome)
                WHERE project = old.project;
        END""",
        """CREATE TRIGGER interaction_media_added AFTER INSERT ON interaction_media BEGIN
            INSERT INTO interaction_contents
                SELECT project, new.sha256, new.size, 1 FROM interactions WHERE seq = new.interaction
                ON CONFLICT (project, sha256) DO UPDATE SET uses = uses + 1;
        END""",
        """CREATE TRIGGER interaction_media_removed AFTER DELETE ON interaction_media BEGIN
            UPDATE interaction_contents SET uses = uses - 1 WHERE sha256 = old.sha256
                AND project = (SELECT project FROM interactions WHERE seq = old.interaction);
            DELETE FROM interaction_contents WHERE sha256 = old.sha256 AND uses = 0
                AND project = (SELECT project FROM interactions WHERE seq = old.interaction);
        END""",
        """CREATE TRIGGER interaction_contents_added AFTER INSERT ON interaction_contents BEGIN
            UPDATE interaction_rooms SET bytes = bytes + new.size WHERE project = new.project;
        END""",
        """CREATE TRIGGER interaction_contents_removed AFTER DELETE ON interaction_contents BEGIN
            UPDATE interaction_rooms SET bytes = bytes - old.size WHERE project = old.project;
        END""",
    ),
    (
        # What keeps a blob: one row for each record that names it, of whatever kind. By content it is asked
        # whether anybody wants a blob; by owner a record lets go of all that it names.
        """CREATE TABLE blob_references (
            sha256 TEXT NOT NULL,
            project TEXT NOT NULL,
            kind TEXT NOT NULL,
            owner TEXT NOT NULL,
            size INTEGER NOT NULL,
            PRIMARY KEY (sha256, project, kind, owner)
        ) WITHOUT ROWID""",
        "CREATE INDEX blob_references_by_owner ON blob_references (project, kind, owner)",
        "INSERT INTO blob_references SELECT sha256, project, 'file', id, size FROM files",
        """INSERT OR IGNORE INTO blob_references
            SELECT sha256, project, 'interaction', id, size
            FROM interaction_media JOIN interactions ON seq = interaction""",
        "DROP INDEX files_by_content",
        "DROP TRIGGER interaction_media_added",
        "DROP TRIGGER interaction_media_removed",
        # Its triggers go with it; dropping it fires none.
        "DROP TABLE interaction_contents",
        # A content takes room once in a project, however many of its interactions name it.
        """CREATE TRIGGER interaction_reference_added AFTER INSERT ON blob_references
            WHEN new.kind = 'interaction' AND NOT EXISTS (
                SELECT 1 FROM blob_references WHERE sha256 = new.sha256 AND project = new.project
                    AND kind = new.kind AND owner <> new.owner
            ) BEGIN
            UPDATE interaction_rooms SET bytes = bytes + new.size WHERE project = new.project;
        END""",
        """CREATE TRIGGER interaction_reference_removed AFTER DELETE ON blob_references
            WHEN old.kind = 'interaction' AND NOT EXISTS (
                SELECT 1 FROM blob_references WHERE sha256 = old.sha256 AND project = old.project
                    AND kind = old.kind
            ) BEGIN
            UPDATE interaction_rooms SET bytes = bytes - old.size WHERE project = old.project;
        END""",
    ),
)


def migrate(connection: sqlite3.Connection, folder: Path) -> None:
    """Bring a database up to date, within a transaction; raise where a newer twinlens has written it."""
    (seen,) = connection.execute("PRAGMA user_version").fetchone()
    if seen > len(MIGRATIONS):
        raise DataFolderError(
            f"The data folder {folder} was written by a newer twinlens (its database has version "
            f"{seen}; this one knows {len(MIGRATIONS)}). Use that version, or another data folder."
        )
    for statements in MIGRATIONS[seen:]:
        for statement in statements:
            connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
