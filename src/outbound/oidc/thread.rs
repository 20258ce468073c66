//! The thread that calls providers, so that no worker waits for them. There is none without a provider in the settings.

use std::{future::Future, io, pin::Pin, rc::Rc, sync::Arc, thread::JoinHandle, time::Duration};

use tokio::{
    sync::{mpsc, oneshot, watch},
    task::spawn_local,
};

use super::{Client, Fault, Provider};
use crate::outbound::{Outside, Policy};

/// Sign-ins under way at once. Each takes 30 s at most: three calls of 10 s.
const MAX_WORK: usize = 64;

type Done = Pin<Box<dyn Future<Output = ()>>>;
type Work = Box<dyn FnOnce(&[Rc<Client>]) -> Done + Send>;

/// Asks the providers, from any thread.
#[derive(Debug)]
pub struct Handle {
    sender: mpsc::Sender<(Work, oneshot::Sender<()>)>,
    under_way: tokio::sync::Semaphore,
}

/// What the thread will need.
pub struct Runner {
    providers: Vec<Provider>,
    policy: Policy,
    receiver: mpsc::Receiver<(Work, oneshot::Sender<()>)>,
}

/// A handle, and the thread to start behind it.
pub fn channel(providers: Vec<Provider>, policy: Policy) -> (Handle, Runner) {
    let (sender, receiver) = mpsc::channel(MAX_WORK);
    let handle = Handle { sender, under_way: tokio::sync::Semaphore::new(MAX_WORK) };
    (handle, Runner { providers, policy, receiver })
}

impl Handle {
    /// Runs work with the client of a provider, by its place in the settings.
    pub async fn ask<T, F, Asked>(&self, place: usize, work: F) -> Result<T, Fault>
    where
        T: Send + 'static,
        F: FnOnce(Rc<Client>) -> Asked + Send + 'static,
        Asked: Future<Output = Result<T, Fault>> + 'static,
    {
        let _turn = self.under_way.try_acquire().map_err(|_| Fault::Busy)?;
        let (reply, answer) = oneshot::channel();
        // Dropped with this future, which tells the thread that nobody waits any more.
        let (waits, _is_waited_for) = oneshot::channel();
        let work: Work = Box::new(move |clients| {
            let asked = work(Rc::clone(&clients[place]));
            Box::pin(async move {
                // Fails if nobody waits any more.
                let _ = reply.send(asked.await);
            })
        });
        self.sender.try_send((work, waits)).map_err(|_| Fault::Busy)?;
        answer.await.unwrap_or_else(|_| Err(Fault::Unreachable("the server is stopping".into())))
    }
}

impl Runner {
    /// Starts the thread. It ends when `stopped` changes.
    pub fn start(self, mut stopped: watch::Receiver<bool>) -> io::Result<JoinHandle<()>> {
        std::thread::Builder::new().name("providers".into()).spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(1)
                .thread_keep_alive(Duration::from_secs(1))
                .build_local(Default::default());
            let runtime = match runtime {
                Ok(runtime) => runtime,
                Err(error) => return tracing::error!(%error, "sign-in by providers did not start"),
            };
            let Self { providers, policy, mut receiver } = self;
            let outside = Arc::new(Outside::new(policy));
            let clients: Vec<Rc<Client>> = providers
                .into_iter()
                .map(|provider| Rc::new(Client::new(provider, Arc::clone(&outside))))
                .collect();
            runtime.block_on(async {
                loop {
                    let (work, mut waits) = tokio::select! {
                        _ = stopped.changed() => return,
                        work = receiver.recv() => match work {
                            Some(work) => work,
                            None => return,
                        },
                    };
                    let work = work(&clients);
                    spawn_local(async move {
                        tokio::select! {
                            () = work => {}
                            () = waits.closed() => {}
                        }
                    });
                }
            });
        })
    }
}
