-- A push subscription belongs to the session that made it, and ends with it. Of those from before, each is given to the newest
-- session that was there before it, with the same browser if there is one (its name changes with updates). One whose owner
-- is signed out everywhere goes.
alter table push_subscriptions add column session_id integer;
-- The https address of this server by which the device reached it, if it did.
alter table push_subscriptions add column origin text;
-- The last refusal of the push service: its status, what it said, and when. Null after a push that it took.
alter table push_subscriptions add column error_status integer;
alter table push_subscriptions add column error_detail text;
alter table push_subscriptions add column error_at integer;
update push_subscriptions set session_id = (
  select id from sessions
  where sessions.user_id = push_subscriptions.user_id and kind = 'device'
  order by sessions.user_agent = push_subscriptions.user_agent desc,
    sessions.created_at <= push_subscriptions.created_at desc, sessions.created_at desc, id desc limit 1);
delete from push_subscriptions where session_id is null;
create index push_subscriptions_by_session on push_subscriptions (session_id);

-- The same for links that sign another device in. They work for hours only, so older ones are not kept.
delete from one_time_tokens where purpose = 'transfer';
alter table one_time_tokens add column session_id integer;

-- What a personal API token may do. Those from before may do what their owner may.
alter table sessions add column scope text not null default 'admin';

-- A new epoch of the history begins at each start of the server, after the event `seq`. A copy of the database that was put
-- back lacks the later epochs, so clients that know them find out that their events are not these.
create table epochs (
  id integer primary key autoincrement,
  name text not null unique,
  seq integer not null
) strict;

-- Direct rooms keep their members when one is deactivated; they were removed before.
insert or ignore into memberships (room_id, user_id, involvement, last_read_message_id)
  select rooms.id, member.value, 'everything', ifnull((select max(id) from messages where room_id = rooms.id), 0)
  from rooms, json_each('[' || members_key || ']') as member
  where kind = 'direct' and deleted_at is null and members_key is not null
    and exists (select 1 from users where users.id = member.value);

-- Incoming webhooks and the system user are members of their own rooms only; they were members of each open room made later.
-- Messages that they posted stay, so a room where they posted keeps them.
delete from memberships where user_id in (select user_id from hooks)
  and room_id <> (select room_id from hooks where hooks.user_id = memberships.user_id)
  and (room_id, user_id) not in
    (select room_id, creator_id from messages where creator_id in (select user_id from hooks));
