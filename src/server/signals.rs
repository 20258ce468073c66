//! The signals that end the server, and how long stopping may take.

use std::{io, time::Duration};

use tokio::{
    runtime::Builder,
    signal::unix::{Signal, SignalKind, signal},
};

use super::ServeError;

/// The whole of stopping takes so long at most; what is not done then is done at the next start, or was never promised.
const STOP_WITHIN: Duration = Duration::from_secs(10);

/// SIGTERM and SIGINT, noticed from the moment that this exists.
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

    /// Returns when one comes; does something else meanwhile.
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

    /// Waits for what ends the server, but not for ever, and not if another signal comes.
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
                    tracing::warn!("not all was finished within {STOP_WITHIN:?}; what was answered is kept");
                    Ok(())
                }
                _ = terminate.recv() => Err(ServeError::CutShort),
                _ = interrupt.recv() => Err(ServeError::CutShort),
            }
        })
    }
}
