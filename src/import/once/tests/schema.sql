-- The tables of ONCE Campfire that the import reads, by the facts of its schema of 2025-12-12.
create table accounts (
  id integer primary key autoincrement not null, name varchar not null, join_code varchar not null, custom_styles text, settings json,
  singleton_guard integer default 0 not null, created_at datetime(6) not null, updated_at datetime(6) not null
);
create table users (
  id integer primary key autoincrement not null, name varchar not null, email_address varchar, password_digest varchar,
  role integer default 0 not null, status integer default 0 not null, bio text, bot_token varchar,
  created_at datetime(6) not null, updated_at datetime(6) not null
);
create unique index index_users_on_bot_token on users (bot_token);
create unique index index_users_on_email on users (email_address);
create table sessions (
  id integer primary key autoincrement not null, user_id integer not null, token varchar not null, ip_address varchar,
  user_agent varchar, last_active_at datetime(6) not null, created_at datetime(6) not null, updated_at datetime(6) not null
);
create table rooms (
  id integer primary key autoincrement not null, name varchar, type varchar not null, creator_id bigint not null,
  created_at datetime(6) not null, updated_at datetime(6) not null
);
create table memberships (
  id integer primary key autoincrement not null, room_id integer not null, user_id integer not null,
  involvement varchar default 'mentions', unread_at datetime(6), connected_at datetime(6), connections integer default 0 not null,
  created_at datetime(6) not null, updated_at datetime(6) not null
);
create unique index index_memberships_on_both on memberships (room_id, user_id);
create table messages (
  id integer primary key autoincrement not null, room_id integer not null, creator_id integer not null,
  client_message_id varchar not null, created_at datetime(6) not null, updated_at datetime(6) not null
);
create table action_text_rich_texts (
  id integer primary key autoincrement not null, record_type varchar not null, record_id bigint not null, name varchar not null,
  body text, created_at datetime(6) not null, updated_at datetime(6) not null
);
create unique index index_rich_texts on action_text_rich_texts (record_type, record_id, name);
create table boosts (
  id integer primary key autoincrement not null, message_id integer not null, booster_id integer not null,
  content varchar(16) not null, created_at datetime(6) not null, updated_at datetime(6) not null
);
create table webhooks (
  id integer primary key autoincrement not null, user_id integer not null, url varchar,
  created_at datetime(6) not null, updated_at datetime(6) not null
);
create table bans (
  id integer primary key autoincrement not null, user_id integer not null, ip_address varchar not null,
  created_at datetime(6) not null, updated_at datetime(6) not null
);
create table searches (
  id integer primary key autoincrement not null, user_id integer not null, query varchar not null,
  created_at datetime(6) not null, updated_at datetime(6) not null
);
create table push_subscriptions (
  id integer primary key autoincrement not null, user_id integer not null, endpoint varchar, p256dh_key varchar, auth_key varchar,
  user_agent varchar, created_at datetime(6) not null, updated_at datetime(6) not null
);
create table active_storage_blobs (
  id integer primary key autoincrement not null, key varchar not null, filename varchar not null, content_type varchar, metadata text,
  service_name varchar not null, byte_size bigint not null, checksum varchar, created_at datetime(6) not null
);
create table active_storage_attachments (
  id integer primary key autoincrement not null, name varchar not null, record_type varchar not null, record_id bigint not null,
  blob_id bigint not null, created_at datetime(6) not null
);
create unique index index_attachments on active_storage_attachments (record_type, record_id, name, blob_id);
create table active_storage_variant_records (
  id integer primary key autoincrement not null, blob_id bigint not null, variation_digest varchar not null
);
create table schema_migrations (version varchar not null primary key);
