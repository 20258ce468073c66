-- Emoji of the team's own, shown where :name: is written. The picture is in images, as emoji-NAME; the version is part of its
-- address.
create table emoji (
  name text primary key,
  version integer not null
) strict, without rowid;

-- Another with each change of them; null as long as there are none.
alter table account add column emoji_version integer;
