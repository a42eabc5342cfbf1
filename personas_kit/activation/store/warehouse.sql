-- What a warehouse needs beside schema.sql: who holds a sync, and which tables are frames.

-- One line per sync that was ever held. It stays, so that a generation is never given twice.
create table lease (
  sync_id     text not null primary key,
  owner       text not null,                 -- user@host; empty while nobody holds it
  generation  bigint not null,               -- grows with every holder
  since       bigint not null,
  expires     bigint not null
);

-- Every frame, from before its table is made until after it is dropped.
create table frame (
  file     text not null primary key,        -- the name of the table
  folder   text not null,                    -- members | plans
  name     text not null,                    -- what it was asked to be called: it ends with the sync
  made_at  bigint not null
);
