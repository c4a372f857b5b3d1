use tokio::sync::watch;

/// Tells tasks that the process is stopping. Cheap to clone.
#[derive(Clone)]
pub struct Shutdown(watch::Receiver<bool>);

/// Says so.
pub struct ShutdownTrigger(watch::Sender<bool>);

impl Shutdown {
    /// A trigger and what it triggers.
    #[must_use]
    pub fn new() -> (ShutdownTrigger, Self) {
        let (sender, receiver) = watch::channel(false);
        (ShutdownTrigger(sender), Self(receiver))
    }

    /// Waits until the process is stopping (or the trigger is gone).
    pub async fn requested(&mut self) {
        // An error means that the trigger was dropped, which only happens when the process is stopping.
        let _ = self.0.wait_for(|stopping| *stopping).await;
    }

    /// Whether the process is stopping.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        *self.0.borrow()
    }
}

impl ShutdownTrigger {
    /// Asks every task that holds a [`Shutdown`] to finish.
    pub fn request(&self) {
        self.0.send_replace(true);
    }
}
