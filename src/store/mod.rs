//! The database: one writer, many readers. All SQL of the server is here.

mod account;
mod audit;
mod bans;
mod boosts;
mod bots;
mod catch_up;
mod check;
mod checkpointer;
mod command;
mod emoji;
mod epochs;
mod files;
mod folder;
mod guests;
mod hooks;
mod identities;
mod import;
mod index;
mod invitations;
mod jobs;
mod links;
mod mail;
mod memberships;
mod messages;
mod migrations;
mod people;
mod push;
mod reader;
mod recent_searches;
mod reserve;
mod restored;
mod rooms;
mod schema;
mod search;
mod second_factors;
mod secrets;
mod sessions;
mod sign_ins;
mod snapshot;
mod state;
mod sync;
mod system_user;
mod tokens;
mod unfinished;
mod writer;

pub use account::{ChangeAccount, CreateAdministrator, PutLogo, RenewJoinCode, SetUp, SetUpDone};
pub use audit::{Act, AuditLine, Audited, NoteAct};
pub use bans::{Ban, LiftBan, is_public};
pub use boosts::{AddBoost, Boosted, RemoveBoost};
pub use bots::{Bot, ChangeBot, CreateBot, RemoveBot, RenewBotKey};
pub use catch_up::Missed;
pub use check::Examined;
pub use command::{Command, NewJob, NotCommitted, Refusal, WriteError};
pub use emoji::{PutEmoji, RemoveEmoji};
pub use epochs::{BeginEpoch, Epochs};
pub use files::{Image, NewFile, StoredFile};
pub use folder::{Folder, Incoming};
pub use guests::BecomeGuest;
pub use hooks::{ChangeHook, CreateHook, Hook, RemoveHook};
pub use identities::{Arrival, Identity, LetIn, LinkIdentity, NotLetIn, SignInByProvider, UnlinkIdentity};
pub use import::{Import, NewMessage, NewPerson, NewRoom, OldPush};
pub use invitations::{
    CreateInvitation, Invitation, InvitationRow, Invite, Newcomer, RevokeInvitation, UseInvitation,
};
pub use jobs::{
    DropJob, FinishJob, Job, JobRow, LeaseJobs, MAX_ATTEMPTS, Outcome, QueueJob, ReleaseLeases, RetryJob,
};
pub use links::{LINK_HOURS, MAILED_HOURS, ResetPassword, StartReset, StartSignIn, StartTransfer, Transfer};
pub use mail::{
    AwaitMail, Awaiting, EndMail, GiveMailBack, MailOf, MailRefusal, MailTimes, NoteLanguage, PutOffMail,
    QueueDueMail, RefuseAddress, ResumeMail, TakeMailTurn, Told, TrustAddress, Turn, Untold, WasHere,
    WishMail,
};
pub use memberships::{MarkRead, SetInvolvement};
pub use messages::{
    DeleteMessage, EditMessage, MessageRow, MessageWords, Page, PostMessage, Posted, PurgeRooms, RemoveEmbed,
    RemoveMessagesOf, RenameMentions, RetireMessages, Select, SetEmbeds, Text,
};
pub use people::{
    ChangeUser, CreateUser, Deactivate, Join, PutAvatar, PutSmallAvatar, Verified, small_avatar,
};
pub use push::{RecordPushError, Subscribe, Subscription, Unsubscribe};
pub use reader::Reader;
pub use recent_searches::{RecentSearch, RememberSearch};
pub use reserve::Reserve;
pub use restored::{Ended, Ending, end_access};
pub use rooms::{AddMember, ChangeRoom, CreateRoom, DeleteRoom, RemoveMember, RoomMade};
pub use schema::{CERTIFICATES, DataDir, OpenError, SCHEMA_VERSION};
pub use search::{Found, Hit, MAX_PAGE_BYTES, SearchQuery};
pub use second_factors::{
    FinishSignIn, NewSecondFactor, NextStep, Proof, ProveSecondFactor, PutSecondFactor, RemoveSecondFactor,
    RenewRecoveryCodes, ResetSecondFactor, SecondFactor, SecondStep,
};
pub use secrets::KeepSecret;
pub use sessions::{
    Credentials, EndAllSessions, EndOtherSessions, EndSession, NewSession, SessionRow, SignIn, StartSession,
    TouchSession,
};
pub use sign_ins::{AnySession, FailedSignIn, RecordFailedSignIn, SignInRow};
pub use snapshot::{KnownFile, PAGES_PER_STEP, Snapshot};
pub use state::{RoomState, State};
pub use sync::{Change as SyncChange, PruneEvents};
pub use system_user::JoinSystemUser;
pub use tokens::{CreateToken, TokenRow};
pub use writer::{Barrier, Completion, Fanout, ReplyTo, Writer, WriterHandle, WriterMetrics};
