-- Histories that came from other chats: when each was begun and ended (null while it is under way), and its newest message.
create table imports (
  source text primary key,
  started_at integer not null,
  finished_at integer,
  last_id integer not null
) strict, without rowid;

-- What people and rooms of a source have become here, by the source's own ids. Messages have theirs in client_message_id.
create table import_origins (
  source text not null,
  kind text not null,
  key text not null,
  id integer not null,
  primary key (source, kind, key)
) strict, without rowid;

-- The first message of a thread. It is in the message's JSON as well, where there is one.
alter table messages add column thread_root_id integer;
create index messages_by_thread on messages (thread_root_id) where thread_root_id is not null;
