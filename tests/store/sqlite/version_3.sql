BEGIN TRANSACTION;
CREATE TABLE files (
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
            expires_us INTEGER NOT NULL, duration_us INTEGER, error TEXT,
            UNIQUE (project, id)
        );
INSERT INTO "files" VALUES(1,'a','expired','the expired','image/png',7,'fa64ea1e82e1206f828ab2a02917c7e92accb98e3b95881a1b4ad52b914b66e3','ACTIVE',1767107045678901,1767107045678901,1767279845678901,NULL,NULL);
INSERT INTO "files" VALUES(2,'a','old-shared','the old-shared','image/png',6,'a4d26868017c0ccffe2efe50944ef4211834660cca834c6e9f86dec6a88246fa','ACTIVE',1767107045678901,1767107045678901,1767279845678901,NULL,NULL);
INSERT INTO "files" VALUES(3,'a','mine','the mine','image/png',9,'e51ee4cf5f91a733798e3f679640b30f155fc67f21777a66b7c819c8686db182','ACTIVE',1767323045678901,1767323045678901,1767495845678901,NULL,NULL);
INSERT INTO "files" VALUES(4,'b','shared','the shared','image/png',6,'a4d26868017c0ccffe2efe50944ef4211834660cca834c6e9f86dec6a88246fa','ACTIVE',1767323045678901,1767323045678901,1767495845678901,NULL,NULL);
INSERT INTO "files" VALUES(5,'b','film','the film','video/mp4',4,'d0607f7ad2628b2af9158dfba06ce87166e66b15bf68f8f358f9aa27ccb7c321','PROCESSING',1767323045678901,1767323045678901,1767495845678901,NULL,NULL);
CREATE TABLE interaction_contents (
            project TEXT NOT NULL,
            sha256 TEXT NOT NULL,
            size INTEGER NOT NULL,
            uses INTEGER NOT NULL,
            PRIMARY KEY (project, sha256)
        ) WITHOUT ROWID;
INSERT INTO "interaction_contents" VALUES('a','2cea274d0bedc39ec4ab6ba9e59ec889e3ed6fb56a1cf088a64d9b383378dc97',7,3);
INSERT INTO "interaction_contents" VALUES('a','80cfa3e7f28dde4df64436b652230aff28d7779116d1369c21ef2bbf37261d71',7,1);
INSERT INTO "interaction_contents" VALUES('a','a4d26868017c0ccffe2efe50944ef4211834660cca834c6e9f86dec6a88246fa',6,1);
INSERT INTO "interaction_contents" VALUES('a','d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa',5,1);
INSERT INTO "interaction_contents" VALUES('b','2cea274d0bedc39ec4ab6ba9e59ec889e3ed6fb56a1cf088a64d9b383378dc97',7,1);
CREATE TABLE interaction_media (
            interaction INTEGER NOT NULL,
            position INTEGER NOT NULL,
            sha256 TEXT NOT NULL,
            size INTEGER NOT NULL,
            mime_type TEXT NOT NULL,
            PRIMARY KEY (interaction, position)
        ) WITHOUT ROWID;
INSERT INTO "interaction_media" VALUES(1,0,'a4d26868017c0ccffe2efe50944ef4211834660cca834c6e9f86dec6a88246fa',6,'image/png');
INSERT INTO "interaction_media" VALUES(1,1,'2cea274d0bedc39ec4ab6ba9e59ec889e3ed6fb56a1cf088a64d9b383378dc97',7,'image/png');
INSERT INTO "interaction_media" VALUES(1,2,'2cea274d0bedc39ec4ab6ba9e59ec889e3ed6fb56a1cf088a64d9b383378dc97',7,'image/png');
INSERT INTO "interaction_media" VALUES(2,1,'d9298a10d1b0735837dc4bd85dac641b0f3cef27a47e5d53a54f2f3f5b2fcffa',5,'image/png');
INSERT INTO "interaction_media" VALUES(2,2,'2cea274d0bedc39ec4ab6ba9e59ec889e3ed6fb56a1cf088a64d9b383378dc97',7,'image/png');
INSERT INTO "interaction_media" VALUES(3,0,'80cfa3e7f28dde4df64436b652230aff28d7779116d1369c21ef2bbf37261d71',7,'image/png');
INSERT INTO "interaction_media" VALUES(4,0,'2cea274d0bedc39ec4ab6ba9e59ec889e3ed6fb56a1cf088a64d9b383378dc97',7,'image/png');
CREATE TABLE interaction_rooms (
            project TEXT PRIMARY KEY,
            bytes INTEGER NOT NULL
        ) WITHOUT ROWID;
INSERT INTO "interaction_rooms" VALUES('a',410);
INSERT INTO "interaction_rooms" VALUES('b',162);
CREATE TABLE interactions (
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
        );
INSERT INTO "interactions" VALUES(1,'a','first',NULL,1,1,0,'gemini-3-flash',1767323045678901,1767323045678901,0,1,3,X'7B22696E707574223A226669727374227D',X'7B22737461747573223A22636F6D706C65746564222C2273616964223A5B7B2274657874223A225965732E227D5D2C227573616765223A7B2270726F6D7074223A7B2254455854223A337D2C2263616E64696461746573223A312C2274686F7567687473223A302C22656E67696E655F6D65646961223A307D2C226661696C757265223A6E756C6C7D');
INSERT INTO "interactions" VALUES(2,'a','second','first',0,0,0,'gemini-3-flash',1767323045678901,1767323045678901,0,1,3,X'7B22696E707574223A227365636F6E64227D',X'7B22737461747573223A22636F6D706C65746564222C2273616964223A5B7B2274657874223A225965732E227D5D2C227573616765223A7B2270726F6D7074223A7B2254455854223A337D2C2263616E64696461746573223A312C2274686F7567687473223A302C22656E67696E655F6D65646961223A307D2C226661696C757265223A6E756C6C7D');
INSERT INTO "interactions" VALUES(3,'a','waiting',NULL,0,0,1,'gemini-3-flash',1767323045678901,1767323045678901,1,1,1,X'7B22696E707574223A2277616974696E67227D',X'7B22737461747573223A22717565756564222C2273616964223A5B5D2C227573616765223A6E756C6C2C226661696C757265223A6E756C6C7D');
INSERT INTO "interactions" VALUES(4,'b','theirs',NULL,0,0,0,'gemini-3-flash',1767323045678901,1767323045678901,0,1,1,X'7B22696E707574223A22746865697273227D',X'7B22737461747573223A22636F6D706C65746564222C2273616964223A5B7B2274657874223A225965732E227D5D2C227573616765223A7B2270726F6D7074223A7B2254455854223A337D2C2263616E64696461746573223A312C2274686F7567687473223A302C22656E67696E655F6D65646961223A307D2C226661696C757265223A6E756C6C7D');
CREATE TABLE uploads (
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
        );
INSERT INTO "uploads" VALUES('a0y6Hh_A4UVEdoTe7LhZd8J2oCSPRC7u','a','expired','the expired','image/png',NULL,'final',7,'fa64ea1e82e1206f828ab2a02917c7e92accb98e3b95881a1b4ad52b914b66e3',1767107045678901);
INSERT INTO "uploads" VALUES('3g_bl7WouGeHWEzWK6jw9-_rWb6LNYVW','a','old-shared','the old-shared','image/png',NULL,'final',6,'a4d26868017c0ccffe2efe50944ef4211834660cca834c6e9f86dec6a88246fa',1767107045678901);
INSERT INTO "uploads" VALUES('ZFkdWyANpevcwdlj9z7whf23Du4m8NPO','a','mine','the mine','image/png',NULL,'final',9,'e51ee4cf5f91a733798e3f679640b30f155fc67f21777a66b7c819c8686db182',1767323045678901);
INSERT INTO "uploads" VALUES('1E8ZPdBHFOSIYToSmchz726qxzeq5Dif','b','shared','the shared','image/png',NULL,'final',6,'a4d26868017c0ccffe2efe50944ef4211834660cca834c6e9f86dec6a88246fa',1767323045678901);
INSERT INTO "uploads" VALUES('FLcPqiIah31hjXba1m-eaAsPKA41yvzH','b','film','the film','video/mp4',NULL,'final',4,'d0607f7ad2628b2af9158dfba06ce87166e66b15bf68f8f358f9aa27ccb7c321',1767323045678901);
INSERT INTO "uploads" VALUES('_Ym6pPIZu05PEInRlROUXnk4pRj1cNbo','b','half',NULL,NULL,NULL,'active',10,NULL,1767323045678901);
CREATE INDEX files_by_age ON files (project, seq);
CREATE INDEX files_by_expiry ON files (expires_us);
CREATE INDEX files_pending ON files (seq) WHERE state = 'PROCESSING';
CREATE INDEX files_by_room ON files (project, expires_us, size);
CREATE INDEX files_by_content ON files (sha256, size);
CREATE INDEX uploads_by_age ON uploads (created_us);
CREATE INDEX uploads_by_room ON uploads (project, created_us, received) WHERE state = 'active';
CREATE INDEX interactions_by_age ON interactions (created_us) WHERE hidden = 0;
CREATE INDEX interactions_unfinished ON interactions (seq) WHERE unfinished = 1;
CREATE INDEX interactions_dead ON interactions (seq) WHERE hidden = 1 AND children = 0;
CREATE INDEX interaction_contents_by_content ON interaction_contents (sha256, size);
CREATE TRIGGER interactions_added AFTER INSERT ON interactions BEGIN
            UPDATE interactions SET children = children + 1 WHERE project = new.project AND id = new.previous;
            INSERT INTO interaction_rooms VALUES (new.project, length(new.sent) + length(new.outcome))
                ON CONFLICT (project) DO UPDATE SET bytes = bytes + excluded.bytes;
        END;
CREATE TRIGGER interactions_changed AFTER UPDATE OF outcome ON interactions BEGIN
            UPDATE interaction_rooms SET bytes = bytes + length(new.outcome) - length(old.outcome)
                WHERE project = new.project;
        END;
CREATE TRIGGER interactions_removed AFTER DELETE ON interactions BEGIN
            UPDATE interactions SET children = children - 1 WHERE project = old.project AND id = old.previous;
            UPDATE interaction_rooms SET bytes = bytes - length(old.sent) - length(old.outcome)
                WHERE project = old.project;
        END;
CREATE TRIGGER interaction_media_added AFTER INSERT ON interaction_media BEGIN
            INSERT INTO interaction_contents
                SELECT project, new.sha256, new.size, 1 FROM interactions WHERE seq = new.interaction
                ON CONFLICT (project, sha256) DO UPDATE SET uses = uses + 1;
        END;
CREATE TRIGGER interaction_media_removed AFTER DELETE ON interaction_media BEGIN
            UPDATE interaction_contents SET uses = uses - 1 WHERE sha256 = old.sha256
                AND project = (SELECT project FROM interactions WHERE seq = old.interaction);
            DELETE FROM interaction_contents WHERE sha256 = old.sha256 AND uses = 0
                AND project = (SELECT project FROM interactions WHERE seq = old.interaction);
        END;
CREATE TRIGGER interaction_contents_added AFTER INSERT ON interaction_contents BEGIN
            UPDATE interaction_rooms SET bytes = bytes + new.size WHERE project = new.project;
        END;
CREATE TRIGGER interaction_contents_removed AFTER DELETE ON interaction_contents BEGIN
            UPDATE interaction_rooms SET bytes = bytes - old.size WHERE project = old.project;
        END;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('files',5);
INSERT INTO "sqlite_sequence" VALUES('interactions',4);
PRAGMA user_version = 3;
COMMIT;
