-- Copies of members of the message's JSON, so that they can be read without parsing it. Times are milliseconds since the
-- Unix epoch.
alter table messages add column kind text not null default 'text';
alter table messages add column created_at integer not null default 0;
update messages set
  kind = cast(json as text) ->> '$.kind',
  created_at = cast(round(unixepoch(cast(json as text) ->> '$.created_at', 'subsec') * 1000) as integer);

-- A message's mentions, to remove them with it.
create index mentions_by_message on mentions (message_id);

-- Both members are in a message's object only where they are true. A message of nothing but emoji begins with the class that
-- nothing else can have.
update messages set json = cast(json_set(cast(json as text), '$.everyone', json('true')) as blob)
  where id in (select message_id from mentions where user_id = 0);
update messages set json = cast(json_set(cast(json as text), '$.is_emoji_only', json('true')) as blob)
  where cast(json as text) ->> '$.html' like '<p class="jumbo">%';
