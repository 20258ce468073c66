-- Sessions of devices, personal API tokens and bots' keys are one thing: a secret that stands for a person.
alter table sessions add column kind text not null default 'device';
alter table sessions add column name text;

alter table users add column avatar_version integer;
alter table account add column logo_version integer;
-- What is found by its kind: `file`, `image`, `video`, `audio`, `link`, `sound`, as words.
alter table messages add column tags text not null default '';

-- Uploaded files. The file is stored under `key` in files/ before the row is inserted; `byte_size` is that of the file itself.
create table attachments (
  id integer primary key autoincrement,
  message_id integer not null,
  room_id integer not null,
  key text not null unique,
  filename text not null,
  content_type text not null,
  byte_size integer not null,
  thumbnail_key text unique,
  thumbnail_type text
) strict;
create index attachments_by_message on attachments (message_id);

-- Small pictures made by the server: avatars (`user-5`, `user-5-small`), the account's logo (`logo`), pictures of link previews (a random key).
create table images (
  key text primary key,
  message_id integer,
  content_type text not null,
  bytes blob not null
) strict;
create index images_by_message on images (message_id) where message_id is not null;

create table boosts (
  id integer primary key autoincrement,
  message_id integer not null,
  user_id integer not null references users,
  content text not null,
  created_at integer not null,
  unique (message_id, user_id, content)
) strict;
create index boosts_by_user on boosts (user_id);

-- A bot is a user with a key (a session of kind `bot`); an incoming webhook is one too, with a room.
-- Its webhook is told where to answer, and that address has the key in it: so this one secret is kept as it is.
create table bots (
  user_id integer primary key references users,
  webhook_url text,
  key text not null
) strict;
create table hooks (
  id integer primary key autoincrement,
  user_id integer not null unique references users,
  room_id integer not null references rooms,
  token_hash blob not null unique,
  creator_id integer not null references users,
  created_at integer not null
) strict;

-- Addresses of those who are banned.
create table blocked_addresses (
  user_id integer not null references users,
  address text not null,
  primary key (user_id, address)
) strict, without rowid;

create table push_subscriptions (
  id integer primary key autoincrement,
  user_id integer not null references users,
  endpoint text not null unique,
  p256dh text not null,
  auth text not null,
  user_agent text not null,
  created_at integer not null
) strict;
create index push_subscriptions_by_user on push_subscriptions (user_id);

-- Keys that the server made for itself.
create table secrets (
  name text primary key,
  value blob not null
) strict, without rowid;

-- What has to be done at least once, crash or no crash. A job under way has a lease; a dead one has been given up.
create table jobs (
  id integer primary key autoincrement,
  kind text not null,
  message_id integer,
  target_id integer,
  payload text,
  key text not null unique,
  attempts integer not null default 0,
  run_at integer not null,
  leased_until integer not null default 0,
  dead_at integer,
  error text,
  created_at integer not null
) strict;
create index jobs_due on jobs (kind, run_at) where dead_at is null;
create index jobs_dead on jobs (dead_at) where dead_at is not null;

create table audit (
  id integer primary key autoincrement,
  at integer not null,
  actor_id integer,
  ip_address text,
  action text not null,
  subject text not null,
  detail text not null
) strict;

-- The kinds of a message stand beside its room, so that a search for them is a search of the index.
drop table messages_fts;
drop view messages_fts_source;
create view messages_fts_source as
  select id, plain, 'r' || room_id || ' ' || tags as room, 'u' || creator_id as creator from messages;
create virtual table messages_fts using fts5 (
  plain, room, creator,
  content = 'messages_fts_source', content_rowid = 'id',
  tokenize = 'porter unicode61',
  columnsize = 0
);
insert into messages_fts (messages_fts) values ('rebuild');
