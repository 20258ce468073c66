-- How the texts that are sent to an incoming webhook are read: auto, slack or markdown.
alter table hooks add column format text not null default 'auto';
