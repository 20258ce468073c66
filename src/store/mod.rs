//! The database: one writer, many readers, and every line of SQL.

mod account;
mod audit;
mod bans;
mod boosts;
mod bots;
mod check;
mod checkpointer;
mod command;
mod files;
mod folder;
mod index;
mod jobs;
mod messages;
mod people;
mod push;
mod reader;
mod rooms;
mod schema;
mod search;
mod snapshot;
mod state;
mod sync;
mod system_user;
mod writer;

pub use account::{ChangeAccount, CreateAdministrator, PutLogo, RenewJoinCode, SetUp, SetUpDone};
pub use audit::{Act, AuditLine, Audited};
pub use bans::{Ban, LiftBan};
pub use boosts::{AddBoost, Boosted, RemoveBoost};
pub use bots::{Bot, ChangeBot, CreateBot, CreateHook, Hook, RemoveBot, RemoveHook, RenewBotKey};
pub use check::Examined;
pub use command::{Command, NewJob, Refusal, WriteError};
pub use files::{Image, NewFile, StoredFile};
pub use folder::{Folder, Incoming};
pub use jobs::{
    DropJob, FinishJob, Job, JobRow, LeaseJobs, MAX_ATTEMPTS, Outcome, QueueJob, ReleaseLeases, RetryJob,
};
pub use messages::{
    DeleteMessage, EditMessage, MessageRow, MessageWords, Page, PostMessage, Posted, PurgeRooms,
    RemoveMessagesOf, RetireMessages, Select, SetEmbeds, Text,
};
pub use people::{
    ChangeUser, CreateToken, CreateUser, Credentials, Deactivate, EndOtherSessions, EndSession, Join,
    NewSession, PutAvatar, PutSmallAvatar, ResetPassword, SessionRow, SignIn, StartReset, StartTransfer,
    TokenRow, TouchSession, Transfer, small_avatar,
};
pub use push::{KeepSecret, Subscribe, Subscription, Unsubscribe};
pub use reader::Reader;
pub use rooms::{ChangeRoom, CreateRoom, DeleteRoom, MarkRead, ReplaceMembers, RoomMade, SetInvolvement};
pub use schema::{CERTIFICATES, DataDir, OpenError, SCHEMA_VERSION};
pub use search::{Found, Hit, RecentSearch, RememberSearch, SearchQuery};
pub use snapshot::{KnownFile, PAGES_PER_STEP, Snapshot};
pub use state::{RoomState, State};
pub use sync::{Change as SyncChange, PruneEvents};
pub use system_user::JoinSystemUser;
pub use writer::{Barrier, Completion, Fanout, ReplyTo, Writer, WriterHandle, WriterMetrics};
