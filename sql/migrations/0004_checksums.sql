-- The SHA-256 of an uploaded file, taken while it came in; null for those from before. `campfire check` holds the file
-- against it.
alter table attachments add column sha256 blob;
