//! The signals that stop the server, and how long stopping may take.

use std::{io, time::Duration};

use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
};

use super::ServeError;

/// The longest time that stopping may take. Acknowledged writes are stored by then; background work goes on at the next start.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// SIGTERM and SIGINT, which are handled from the creation of this value on.
pub(super) struct Signals {
    runtime: tokio::runtime::Runtime,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    pub(super) fn listen() -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (terminate, interrupt) = {
            let _inside = runtime.enter();
            (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?)
        };
        Ok(Self { runtime, terminate, interrupt })
    }

    /// Runs `work` until a signal comes.
    pub(super) fn wait_while(&mut self, work: impl Future<Output = ()>) {
        let Self { runtime, terminate, interrupt } = self;
        runtime.block_on(async {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
                () = work => {}
            }
        });
    }

    /// Runs `ending` to its end, for at most `STOP_WITHIN` and until a second signal comes.
    pub(super) fn wait_for(self, ending: impl FnOnce() + Send + 'static) -> Result<(), ServeError> {
        let Self { runtime, mut terminate, mut interrupt } = self;
        let (ended, end) = tokio::sync::oneshot::channel::<()>();
        let ending = std::thread::Builder::new().name("ending".into()).spawn(move || {
            ending();
            drop(ended);
        });
        ending.map_err(ServeError::Runtime)?;
        runtime.block_on(async {
            tokio::select! {
                _ = end => Ok(()),
                () = tokio::time::sleep(STOP_WITHIN) => {
                    tracing::warn!("stopping took longer than {STOP_WITHIN:?}; acknowledged writes are stored");
                    Ok(())
                }
                _ = terminate.recv() => Err(ServeError::CutShort),
                _ = interrupt.recv() => Err(ServeError::CutShort),
            }
        })
    }
}
