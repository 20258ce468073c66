-- Links that invite. One with a person gives the account that was imported for them; any other makes an account. Those of the
-- command line have no creator.
create table invitations (
  id integer primary key autoincrement,
  token_hash blob not null unique,
  creator_id integer references users,
  user_id integer references users,
  role text not null,
  note text not null default '',
  uses integer not null default 0,
  max_uses integer not null,
  created_at integer not null,
  expires_at integer not null,
  revoked_at integer
) strict;
create index invitations_by_user on invitations (user_id) where user_id is not null;
create index invitations_by_creator on invitations (creator_id);

-- The rooms that an invitation leads to: all that a guest will see; of a member, those besides the open ones.
create table invitation_rooms (
  invitation_id integer not null references invitations on delete cascade,
  room_id integer not null references rooms on delete cascade,
  primary key (invitation_id, room_id)
) strict, without rowid;

create index invitation_rooms_by_room on invitation_rooms (room_id);

-- Those of imported people were one-time links.
insert into invitations (token_hash, user_id, role, max_uses, created_at, expires_at)
  select token_hash, user_id, 'member', 1, expires_at - 604800000, expires_at from one_time_tokens where purpose = 'invitation';
delete from one_time_tokens where purpose = 'invitation';

-- Guests are few, and are looked up whenever somebody enters a room.
create index users_guests on users (id) where role = 'guest';

-- How the session of a device was begun; null for those from before.
alter table sessions add column method text;

-- When a person was last seen on a device. Their sessions may have ended since.
alter table users add column last_seen_at integer;
update users set last_seen_at =
  (select max(last_active_at) from sessions where sessions.user_id = users.id and kind = 'device');

-- Attempts to sign in that failed, counted by day, account (0: none was named that exists), network and way.
create table failed_sign_ins (
  id integer primary key autoincrement,
  day integer not null,
  user_id integer not null,
  network text not null,
  method text not null,
  attempts integer not null,
  last_at integer not null,
  unique (day, user_id, network, method)
) strict;
