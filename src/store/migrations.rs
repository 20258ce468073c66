//! The migrations of the database.

/// In order. The number of those applied is the schema's version (`PRAGMA user_version`). Their statements are never
/// edited once released.
pub(super) const MIGRATIONS: &[&str] = &[
    include_str!("../../sql/migrations/0001_initial.sql"),
    include_str!("../../sql/migrations/0002_everything_else.sql"),
    include_str!("../../sql/migrations/0003_index_upkeep.sql"),
    include_str!("../../sql/migrations/0004_checksums.sql"),
    include_str!("../../sql/migrations/0005_message_columns.sql"),
    include_str!("../../sql/migrations/0006_sessions_end_whole.sql"),
    include_str!("../../sql/migrations/0007_indexes_by_time_and_person.sql"),
    include_str!("../../sql/migrations/0008_search_tokens.sql"),
    include_str!("../../sql/migrations/0009_hook_format.sql"),
    include_str!("../../sql/migrations/0010_imports.sql"),
    include_str!("../../sql/migrations/0011_emoji.sql"),
    include_str!("../../sql/migrations/0012_identities.sql"),
    include_str!("../../sql/migrations/0013_mail.sql"),
    include_str!("../../sql/migrations/0014_guests.sql"),
    include_str!("../../sql/migrations/0015_second_factors.sql"),
];
