-- Accounts at identity providers, and whose they are here. The key is what the provider calls itself and the person: an
-- address may be given to somebody else there. `provider` is its name in the settings when the identity was last used.
create table identities (
  id integer primary key autoincrement,
  issuer text not null,
  subject text not null,
  user_id integer not null references users,
  provider text not null,
  email text,
  created_at integer not null,
  last_used_at integer not null,
  unique (issuer, subject)
) strict;
create index identities_by_user on identities (user_id);

-- The identity by which a session was started, if it was.
alter table sessions add column identity_id integer;
