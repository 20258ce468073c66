-- Second steps of signing in: codes that an app makes of a shared secret (RFC 6238). The secret has to be known in clear text.
create table second_factors (
  user_id integer primary key references users,
  secret blob not null,
  -- The time step of the last code that was used: neither it nor an older one is taken again.
  last_step integer not null,
  created_at integer not null
) strict;

-- Codes for when the app is lost. Each is deleted when it is used.
create table recovery_codes (
  user_id integer not null references users,
  code_hash blob not null,
  primary key (user_id, code_hash)
) strict, without rowid;
