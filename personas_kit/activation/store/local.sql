-- What SQLite needs beside schema.sql: a history of years is looked up, not read.

create index run_by_time on run (finished_at);
create index run_of_sync on run (sync_id, finished_at);
