//! The database: one writer, many readers, and every line of SQL.

mod account;
mod checkpointer;
mod command;
mod messages;
mod people;
mod reader;
mod rooms;
mod schema;
mod search;
mod sync;
mod writer;

pub use account::{ChangeAccount, CreateAdministrator, RenewJoinCode, SetUp, SetUpDone};
pub use checkpointer::Checkpointer;
pub use command::{Command, Refusal, WriteError};
pub use messages::{DeleteMessage, EditMessage, Page, PostMessage, Posted, PurgeRooms, Select, Text};
pub use people::{
    ChangeUser, CreateUser, Credentials, Deactivate, EndSession, Join, NewSession, ResetPassword, SessionRow,
    SignIn, StartReset, TouchSession,
};
pub use reader::Reader;
pub use rooms::{ChangeRoom, CreateRoom, DeleteRoom, MarkRead, ReplaceMembers, RoomMade, SetInvolvement};
pub use schema::{DataDir, OpenError};
pub use search::{Found, Hit, RecentSearch, RememberSearch, SearchQuery};
pub use sync::{Change as SyncChange, PruneEvents};
pub use writer::{Fanout, Home, Writer, WriterHandle, WriterMetrics};
