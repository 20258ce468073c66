-- The index has tokens that src/text/search makes of a message, in columns of their order (`words`) and of their other forms
-- (`more`). FTS5 only separates them at spaces: every other sign of ASCII may be part of one. The texts are not in it.
drop table messages_words;
drop table messages_fts;
drop view messages_fts_source;
create virtual table messages_fts using fts5 (
  words, more, room, creator,
  content = '',
  tokenize = "ascii tokenchars '!#$%&()*+,-./:;<=>?@[\]^_`{|}~'''",
  columnsize = 0 -- only ranking needs sizes, and we order by time
);
insert into messages_fts (messages_fts, rank) values ('automerge', 0);
create virtual table messages_words using fts5vocab (messages_fts, instance);

-- How the tokens are made (a version, and codes of languages), and down to which message the index has them: it is filled in the
-- background from the newest to the oldest. 0 if it is complete. The writer inserts the row.
create table search_index (
  id integer primary key check (id = 1),
  analysis text not null,
  down_to integer not null
) strict;

-- Addresses of the message's links that stand behind other words.
alter table messages add column addresses text not null default '';
