-- The transactional part of the state. What is large (members, values, the changes of plans) lies in frames beside it.
-- Written so that SQLite, DuckDB, PostgreSQL and Snowflake take it as it stands. Times are microseconds since 1970 UTC.

create table meta (name text not null, value text not null);

create table sync (
  id            text not null primary key,
  definition    text not null,
  destination   text not null,
  call          text not null,
  place         text not null,
  target        text not null,               -- which account (and list) acknowledged: another one starts from nothing
  fingerprint   text not null,               -- of the definition at the last finished plan
  meaning       text not null,               -- the definition itself then, and what it refers to, as JSON
  figures       text not null,               -- what the source looked like then, as JSON
  version       bigint not null,             -- grows whenever a plan that was made before may be wrong
  pushes        bigint not null,             -- plans finished
  members       bigint not null,             -- wanted at the last finished plan
  last_as_of    bigint,
  last_push     bigint,
  last_full     bigint,                      -- when the destination was told of everyone
  paused        bigint not null,
  valued        bigint not null,             -- members have values (traits), or are just there (audiences)
  integers      bigint not null              -- members are integers in the source, not texts
);

-- The acknowledged members: one base, then changes in order; each is a frame.
create table part (
  sync_id   text not null,
  position  bigint not null,
  kind      text not null,                   -- base | changes
  file      text not null,
  lines     bigint not null,
  members   bigint not null,                 -- acknowledged, with this part and those before it
  primary key (sync_id, position)
);

create table plan (
  id           text not null,
  sync_id      text not null,
  file         text not null,                -- the frame of its changes, in the order in which they are sent
  lines        bigint not null,
  as_of        bigint not null,
  made_at      bigint not null,
  fingerprint  text not null,
  meaning      text not null,
  figures      text not null,
  wanted       bigint not null,
  everyone     bigint not null,              -- 1: it tells of every member; 2: in the place of whoever is there
  overrides    text not null,                -- {name of a guard: {who, why}}
  stopped      bigint not null,              -- somebody stopped it in good order: it may go on
  primary key (id, sync_id)
);

-- A stretch of a plan's changes that left together. What lies between the batches was not sent yet.
create table batch (
  plan_id    text not null,
  sync_id    text not null,
  from_line  bigint not null,
  to_line    bigint not null,
  state      text not null,                  -- sending | doubted (sending when a doubt was noted) | done
  digest     text not null,                  -- of the bytes that were sent
  excluded   text not null,                  -- positions in the batch that were not acknowledged
  primary key (plan_id, sync_id, from_line)
);

-- Members whose last change was sent and has no known outcome.
create table unknown_member (
  sync_id     text not null,
  member      text not null,
  change      text not null,
  value       text,                          -- null: a doubt; what the destination holds may be older than any of this
  message_id  text not null,
  timestamp   bigint not null,
  job         text,                          -- the destination has accepted it, and will say what became of it
  primary key (sync_id, member)
);

-- Work that a destination has accepted and not acknowledged.
create table job (
  id           text not null,
  sync_id      text not null,
  handle       text not null,                -- what the destination calls it
  accepted_at  bigint not null,
  primary key (sync_id, id)
);

-- Members that the destination refused, until it takes them.
create table reject (
  sync_id  text not null,
  member   text not null,
  change   text not null,
  value    text,
  reason   text not null,
  times    bigint not null,
  push     bigint not null,                  -- how many plans were finished when it was refused last
  last_at  bigint not null,
  primary key (sync_id, member)
);

-- The history: a line per plan and sync, also of what a guard stopped.
create table run (
  plan_id       text not null,
  sync_id       text not null,
  definition    text not null,
  destination   text not null,
  call          text not null,
  place         text not null,
  started_at    bigint not null,
  finished_at   bigint not null,
  as_of         bigint not null,
  state         text not null,
  why           text not null,
  wanted        bigint not null,
  enters        bigint not null,
  exits         bigint not null,
  sets          bigint not null,
  acknowledged  bigint not null,
  rejected      bigint not null,
  unknown       bigint not null,
  accepted      bigint not null,
  unsent        bigint not null,
  skipped       bigint not null,
  suppressed    bigint not null,
  held          bigint not null,
  reasons       text not null,               -- of the rejected: {reason: how many}
  guards        text not null,               -- that fired: {name: what it saw}
  overrides     text not null                -- {name: {who, why}}
);

-- Who must never be sent again, as keyed hashes.
create table forgotten (mark text not null primary key, since bigint not null);
