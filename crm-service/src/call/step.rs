//! What a step is, and how steps are put on top of each other.

use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    sync::{Arc, Weak},
};

use super::{error::Error, reply::Reply};

/// What becomes of a call.
pub type Answering = Pin<Box<dyn Future<Output = Result<Reply, Error>> + Send>>;

/// One step of the way down: takes a call as it comes, and hands it on as what it has become.
pub trait Step<In>: Send + Sync + 'static {
    /// What the call has become when it is handed on.
    type Out: Send + 'static;

    /// Takes the call; goes on by `next`, or refuses.
    fn take(&self, call: In, next: &Next<Self::Out>) -> impl Future<Output = Result<Reply, Error>> + Send;
}

/// The last step: hands nothing on.
pub trait End<In>: Send + Sync + 'static {
    /// Takes the call and answers it.
    fn take(&self, call: In) -> impl Future<Output = Result<Reply, Error>> + Send;
}

/// The rest of the way down.
pub struct Next<In>(Arc<dyn Fn(In) -> Answering + Send + Sync>);

/// The same, for who is a part of the way itself, and must not keep it alive.
pub struct WeakNext<In>(Weak<dyn Fn(In) -> Answering + Send + Sync>);

impl<In> WeakNext<In> {
    /// The way, while it is there.
    pub fn upgrade(&self) -> Option<Next<In>> {
        self.0.upgrade().map(Next)
    }
}

impl<In> std::fmt::Debug for WeakNext<In> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("WeakNext")
    }
}

impl<In> Next<In> {
    /// The same without keeping it alive.
    pub fn downgrade(&self) -> WeakNext<In> {
        WeakNext(Arc::downgrade(&self.0))
    }
}

impl<In> Clone for Next<In> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<In: Send + 'static> Next<In> {
    /// Goes the rest of the way. Fails with the refusal of whichever step refused.
    ///
    /// It is no `async fn`: calls are large, and each would be moved once more at every step.
    pub fn run(&self, call: In) -> Answering {
        (self.0)(call)
    }

    fn through<S: Step<In>>(step: S, next: Next<S::Out>) -> Self {
        let rest = Arc::new((step, next));
        Self(Arc::new(move |call| {
            let rest = rest.clone();
            Box::pin(async move {
                let (step, next) = &*rest;
                step.take(call, next).await
            })
        }))
    }

    fn end<E: End<In>>(end: E) -> Self {
        let end = Arc::new(end);
        Self(Arc::new(move |call| {
            let end = end.clone();
            Box::pin(async move { end.take(call).await })
        }))
    }
}

/// Steps in the order in which a call takes them: it enters as `In`, and has become `Out` below the last.
pub struct Layers<In, Out> {
    close: Box<dyn FnOnce(Next<Out>) -> Next<In>>,
    _types: PhantomData<fn(In) -> Out>,
}

impl<In: Send + 'static> Layers<In, In> {
    /// No step yet.
    pub fn top() -> Self {
        Self {
            close: Box::new(|next| next),
            _types: PhantomData,
        }
    }
}

impl<In: Send + 'static, Out: Send + 'static> Layers<In, Out> {
    /// The next step down.
    #[must_use]
    pub fn step<S: Step<Out>>(self, step: S) -> Layers<In, S::Out> {
        let close = self.close;
        Layers {
            close: Box::new(move |next| close(Next::through(step, next))),
            _types: PhantomData,
        }
    }

    /// The last step.
    pub fn end<E: End<Out>>(self, end: E) -> Next<In> {
        (self.close)(Next::end(end))
    }
}
