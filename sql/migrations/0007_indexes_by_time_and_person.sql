-- Messages by the time of their posting, for retention and for searches with dates: a clock that was set, or an import,
-- puts messages of an earlier time behind later ones.
create index messages_by_time on messages (created_at);

-- Events that belong to no room, by the person who may see them; null for everybody.
create index events_by_user on events (user_id) where room_id is null;
