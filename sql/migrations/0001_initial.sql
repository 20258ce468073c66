-- The account: one row, made at first run.
create table account (
  id integer primary key check (id = 1),
  name text not null,
  custom_css text not null default '',
  settings text not null default '{}',
  join_code text not null,
  created_at integer not null
) strict;

-- People and bots. A deactivated person keeps the row (messages point to it) and gives the e-mail back.
create table users (
  id integer primary key autoincrement,
  name text not null,
  email text collate nocase unique,
  bio text not null default '',
  role text not null,
  status text not null default 'active',
  password_hash text,
  created_at integer not null
) strict;

create table sessions (
  id integer primary key autoincrement,
  token_hash blob not null unique,
  user_id integer not null references users,
  user_agent text not null,
  ip_address text not null,
  created_at integer not null,
  last_active_at integer not null
) strict;
create index sessions_by_user on sessions (user_id);

-- Links that work once: password resets, and signing another device in.
create table one_time_tokens (
  token_hash blob primary key,
  user_id integer not null references users,
  purpose text not null,
  expires_at integer not null
) strict, without rowid;

-- members_key is the sorted list of a direct room's members: the same people always find the same room.
-- A deleted room keeps its row. Its messages are purged in the background.
create table rooms (
  id integer primary key autoincrement,
  name text,
  kind text not null,
  creator_id integer not null references users,
  members_key text unique,
  created_at integer not null,
  updated_at integer not null,
  deleted_at integer
) strict;

create table memberships (
  room_id integer not null references rooms,
  user_id integer not null references users,
  involvement text not null,
  last_read_message_id integer not null default 0,
  primary key (room_id, user_id)
) strict, without rowid;
create index memberships_by_user on memberships (user_id);

-- A message's id is the seq of its creation, so this table is also the log of created messages: `events` has no
-- row for them. json is the finished object as the wire has it; plain is what the index sees.
create table messages (
  id integer primary key,
  room_id integer not null references rooms,
  creator_id integer not null references users,
  client_message_id text,
  json blob not null,
  plain text not null
) strict;
-- Both end in the rowid, which is the id: newest first within a room or a person is a range scan.
create index messages_by_room on messages (room_id);
create index messages_by_creator on messages (creator_id);
create unique index messages_by_client_id on messages (room_id, creator_id, client_message_id)
  where client_message_id is not null;

-- Who is meant by a message; user 0 stands for everybody in the room.
create table mentions (
  user_id integer not null,
  room_id integer not null,
  message_id integer not null,
  primary key (user_id, room_id, message_id)
) strict, without rowid;

-- The room and the author are tokens of columns of their own, so that a search within one small room of a large
-- history intersects two posting lists instead of probing every hit of a common word.
create view messages_fts_source as
  select id, plain, 'r' || room_id as room, 'u' || creator_id as creator from messages;
create virtual table messages_fts using fts5 (
  plain, room, creator,
  content = 'messages_fts_source', content_rowid = 'id',
  tokenize = 'porter unicode61',
  columnsize = 0 -- only ranking needs sizes, and we order by time
);

-- Durable events but the creation of messages. room_id or user_id say who may see one; neither: everybody.
create table events (
  seq integer primary key,
  at integer not null,
  kind text not null,
  room_id integer,
  user_id integer,
  message_id integer,
  payload text
) strict;
create index events_by_room on events (room_id) where room_id is not null;

create table searches (
  id integer primary key autoincrement,
  user_id integer not null references users,
  query text not null,
  searched_at integer not null,
  unique (user_id, query)
) strict;

-- Who may see an event whose room is gone.
create table event_audience (
  seq integer not null references events on delete cascade,
  user_id integer not null,
  primary key (seq, user_id)
) strict, without rowid;

-- The newest event that is no longer kept: who asks for what came before it has to start afresh.
create table pruned (
  id integer primary key check (id = 1),
  seq integer not null
) strict;
