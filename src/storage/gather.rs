//! Questions that are asked at the same time, and answered by one statement. Each is answered with what is read
//! after it was asked, as if it had been asked alone.

use std::{
    fmt,
    mem::take,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use tokio::{sync::oneshot, task::yield_now};
use tracing::{Instrument as _, Span};

use crate::telemetry::traces::TARGET;

/// As many questions make one statement at most.
const MOST: usize = 64;

/// Questions that wait to be asked.
pub(super) struct Gather<Q, A>(Mutex<Vec<Waiting<Q, A>>>);

struct Waiting<Q, A> {
    question: Q,
    reply: oneshot::Sender<A>,
}

impl<Q: Send + 'static, A: Send + 'static> Gather<Q, A> {
    /// The answer to a question, which `read` reads together with others: as many answers as questions, in their
    /// order. None when `read` broke off.
    ///
    /// The statement goes on when a request goes away that asked first; it is in the trace of that one.
    pub(super) async fn ask<F>(
        self: &Arc<Self>,
        question: Q,
        read: impl FnOnce(Vec<Q>) -> F + Send + 'static,
    ) -> Option<A>
    where
        F: Future<Output = Vec<A>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let (first, full) = {
            let mut waiting = self.waiting();
            waiting.push(Waiting { question, reply });
            (waiting.len() == 1, if waiting.len() == MOST { take(&mut *waiting) } else { Vec::new() })
        };
        if !full.is_empty() {
            go_on(answer_all(full, read));
        } else if first {
            let gather = Arc::clone(self);
            go_on(async move {
                // Everybody else who is ready to ask, asks before this goes on.
                yield_now().await;
                let waiting = take(&mut *gather.waiting());
                answer_all(waiting, read).await;
            });
        }
        answer.await.ok()
    }

    fn waiting(&self) -> MutexGuard<'_, Vec<Waiting<Q, A>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Works on its own, in the trace and in the log a part of the request that began it.
fn go_on(work: impl Future<Output = ()> + Send + 'static) {
    let traced = tracing::trace_span!(target: TARGET, "Gather");
    tokio::spawn(work.instrument(traced).instrument(Span::current()));
}

async fn answer_all<Q, A, F>(waiting: Vec<Waiting<Q, A>>, read: impl FnOnce(Vec<Q>) -> F)
where
    F: Future<Output = Vec<A>>,
{
    if waiting.is_empty() {
        return;
    }
    let (questions, replies): (Vec<_>, Vec<_>) =
        waiting.into_iter().map(|waiting| (waiting.question, waiting.reply)).unzip();
    for (reply, answer) in replies.into_iter().zip(read(questions).await) {
        // Who has gone away meanwhile needs none.
        drop(reply.send(answer));
    }
}

impl<Q, A> Default for Gather<Q, A> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<Q, A> fmt::Debug for Gather<Q, A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Gather").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use futures_util::future::join_all;

    use super::*;

    /// Doubles what was asked, and says in how large a company.
    async fn doubled(asked: Vec<usize>) -> Vec<(usize, usize)> {
        let company = asked.len();
        asked.into_iter().map(|number| (2 * number, company)).collect()
    }

    #[tokio::test]
    async fn who_asks_at_the_same_time_is_answered_together_and_each_with_its_own() {
        let gather = Arc::<Gather<usize, (usize, usize)>>::default();
        let answers = join_all((0..10).map(|number| gather.ask(number, doubled))).await;
        let expected: Vec<_> = (0..10).map(|number| Some((2 * number, 10))).collect();
        assert_eq!(answers, expected);
        assert_eq!(gather.ask(7, doubled).await, Some((14, 1)));
    }

    #[tokio::test]
    async fn a_crowd_is_answered_in_parts() {
        let gather = Arc::<Gather<usize, (usize, usize)>>::default();
        let answers = join_all((0..MOST + 3).map(|number| gather.ask(number, doubled))).await;
        for (number, answer) in answers.into_iter().enumerate() {
            let company = if number < MOST { MOST } else { 3 };
            assert_eq!(answer, Some((2 * number, company)));
        }
    }

    #[tokio::test]
    async fn who_asked_first_and_went_away_leaves_the_others_their_answers() {
        let gather = Arc::<Gather<usize, (usize, usize)>>::default();
        let mut first = Box::pin(gather.ask(1, doubled));
        assert!(futures_util::poll!(&mut first).is_pending());
        let second = gather.ask(2, doubled);
        drop(first);
        assert_eq!(second.await, Some((4, 2)));
    }

    #[tokio::test]
    async fn a_reading_that_breaks_off_is_no_answer() {
        let gather = Arc::<Gather<usize, (usize, usize)>>::default();
        assert_eq!(gather.ask(1, async |_| Vec::new()).await, None);
        assert_eq!(gather.ask(2, doubled).await, Some((4, 1)));
    }
}
