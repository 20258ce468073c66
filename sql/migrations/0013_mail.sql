-- What each person wants of mail, and what they are to be told of by it. No row: the defaults, and nothing to tell.
create table mail (
  user_id integer primary key references users,
  -- at_once, away, daily or never; null for the default.
  wanted text,
  -- The language of the page that the person had open last.
  language text,
  -- Ends the mails of this person, as RFC 8058 has it. It opens nothing else.
  token text not null unique,
  -- What the mail server said about the address that it refused. Of no meaning for another address.
  refused_address text collate nocase,
  refused_reason text,
  refused_at integer,
  -- The first and the last unread message that nobody was told of; null if there is none.
  first_id integer,
  last_id integer,
  -- When a mail is to tell of them; null while a job for it waits.
  due_at integer,
  -- Up to this message the person was told, or was here.
  told_id integer not null default 0,
  -- When the last such mail was sent.
  sent_at integer
) strict;
create index mail_due on mail (due_at) where due_at is not null;

-- Mails of the last hour, for the bounds. Whom they went to is a hash of the address.
create table mail_sent (
  id integer primary key,
  at integer not null,
  recipient blob not null
) strict;
create index mail_sent_by_time on mail_sent (at);
