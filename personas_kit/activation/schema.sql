-- The transactional part of the local state. What is large (members, values) lies in Parquet files beside it.
create table meta (version integer not null);

create table sync (
  id            text primary key,
  definition    text not null,
  destination   text not null,
  call          text not null,
  place         text not null,
  target        text not null,               -- which account (and list) acknowledged: another one starts from nothing
  fingerprint   text not null,               -- of the definition at the last finished plan
  version       integer not null,            -- grows with every plan that begins or is folded
  members       integer not null,            -- wanted at the last finished plan
  last_as_of    integer,                     -- microseconds since 1970 UTC
  last_push     integer,
  paused        integer not null default 0,
  valued        integer not null              -- members have values (traits), or are just there (audiences)
);

-- The acknowledged members: one base file, then change files in order.
create table part (
  sync_id   text not null references sync (id),
  position  integer not null,
  kind      text not null check (kind in ('base', 'changes')),
  file      text not null,
  lines     integer not null,
  primary key (sync_id, position)
);

create table plan (
  id           text not null,
  sync_id      text not null references sync (id),
  file         text not null,
  as_of        integer not null,
  fingerprint  text not null,
  wanted       integer not null,
  overrides    text not null,
  primary key (id, sync_id)
);

create table batch (
  plan_id   text not null,
  sync_id   text not null,
  number    integer not null,
  state     text not null check (state in ('ready', 'sending', 'done')),
  digest    text,                            -- of the bytes that were sent
  excluded  text not null default '[]',      -- positions in the batch that were not acknowledged
  primary key (plan_id, sync_id, number)
);

-- Members whose last change was sent and has no known outcome.
create table unknown (
  sync_id     text not null,
  member      not null,                     -- as the source has it: text or integer
  change      text not null,
  value       text,
  message_id  text not null,
  timestamp   integer not null,
  primary key (sync_id, member)
);

-- Members that the destination refused, until it takes them.
create table reject (
  sync_id  text not null,
  member   not null,
  change   text not null,
  value    text,
  reason   text not null,
  times    integer not null,
  last_at  integer not null,
  primary key (sync_id, member)
);

create table run (
  plan_id       text not null,
  sync_id       text not null,
  finished_at   integer not null,
  as_of         integer not null,
  state         text not null,
  wanted        integer not null,
  acknowledged  integer not null,
  rejected      integer not null,
  unknown       integer not null,
  skipped       integer not null,
  unsent        integer not null,
  overrides     text not null
);
