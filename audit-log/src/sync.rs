//! The channels by which the writer of a log and those who wait for it meet. In the crate's own tests with the feature
//! `models` each step on them is a place where shuttle may let another task go on, in an order of its choice. The module
//! `models` holds such tests; `make test-models` runs them.

#[cfg(all(test, feature = "models"))]
pub(crate) use checked::{mpsc, oneshot, yield_now};
#[cfg(not(all(test, feature = "models")))]
pub(crate) use tokio::{
    sync::{mpsc, oneshot},
    task::yield_now,
};

/// tokio's channels, which do each step at once and are modelled by tokio itself, with a place for others before it.
#[cfg(all(test, feature = "models"))]
mod checked {
    pub(crate) use shuttle::future::yield_now;
    use shuttle::sync::atomic::{AtomicBool, Ordering};

    /// Somebody else may go on here.
    fn others() {
        AtomicBool::new(false).load(Ordering::SeqCst);
    }

    pub(crate) mod mpsc {
        use std::future::poll_fn;

        use tokio::sync::mpsc::{self, error};

        use super::others;

        pub(crate) fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
            let (sender, receiver) = mpsc::unbounded_channel();
            (UnboundedSender(sender), UnboundedReceiver(receiver))
        }

        #[derive(Debug)]
        pub(crate) struct UnboundedSender<T>(mpsc::UnboundedSender<T>);

        impl<T> UnboundedSender<T> {
            pub(crate) fn send(&self, message: T) -> Result<(), error::SendError<T>> {
                others();
                self.0.send(message)
            }
        }

        #[derive(Debug)]
        pub(crate) struct UnboundedReceiver<T>(mpsc::UnboundedReceiver<T>);

        impl<T> UnboundedReceiver<T> {
            pub(crate) async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
                poll_fn(|context| {
                    others();
                    self.0.poll_recv_many(context, buffer, limit)
                })
                .await
            }

            pub(crate) fn try_recv(&mut self) -> Result<T, error::TryRecvError> {
                others();
                self.0.try_recv()
            }

            pub(crate) fn close(&mut self) {
                others();
                self.0.close();
            }

            pub(crate) fn is_closed(&self) -> bool {
                others();
                self.0.is_closed()
            }
        }
    }

    pub(crate) mod oneshot {
        use std::{
            future::Future,
            pin::Pin,
            task::{Context, Poll},
        };

        use tokio::sync::oneshot::{self, error};

        use super::others;

        pub(crate) fn channel<T>() -> (Sender<T>, Receiver<T>) {
            let (sender, receiver) = oneshot::channel();
            (Sender(sender), Receiver(receiver))
        }

        #[derive(Debug)]
        pub(crate) struct Sender<T>(oneshot::Sender<T>);

        impl<T> Sender<T> {
            pub(crate) fn send(self, value: T) -> Result<(), T> {
                others();
                self.0.send(value)
            }

            pub(crate) fn is_closed(&self) -> bool {
                others();
                self.0.is_closed()
            }
        }

        #[derive(Debug)]
        pub(crate) struct Receiver<T>(oneshot::Receiver<T>);

        impl<T> Future for Receiver<T> {
            type Output = Result<T, error::RecvError>;

            fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
                others();
                Pin::new(&mut self.0).poll(context)
            }
        }
    }
}
