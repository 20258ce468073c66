-- The writer merges the index's segments itself, a few pages after each batch. By itself FTS5 does it inside a commit, once
-- in 64 pages and then for some hundred: those who wait for that commit waited 5 to 15 ms.
insert into messages_fts (messages_fts, rank) values ('automerge', 0);

-- The words of the index, to find those that begin alike without merging all that is said of them.
create virtual table messages_words using fts5vocab (messages_fts, instance);
