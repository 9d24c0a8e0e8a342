//! Doing things at once.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::Poll;

/// Runs all of them concurrently; gives what they gave, in their order.
pub(super) async fn together<F: Future>(tasks: impl IntoIterator<Item = F>) -> Vec<F::Output> {
    let mut tasks: Vec<Pin<Box<F>>> = tasks.into_iter().map(Box::pin).collect();
    let mut outputs: Vec<Option<F::Output>> = tasks.iter().map(|_| None).collect();
    poll_fn(move |context| {
        for (task, output) in tasks.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(value) = task.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        if outputs.iter().all(Option::is_some) {
            Poll::Ready(outputs.iter_mut().filter_map(Option::take).collect())
        } else {
            Poll::Pending
        }
    })
    .await
}

/// Runs all of them concurrently; `take` gets what they gave in their order, each as soon as it and those before it are done.
pub(super) async fn in_order<F: Future>(
    tasks: impl IntoIterator<Item = F>,
    mut take: impl FnMut(F::Output),
) {
    let mut tasks: VecDeque<Pin<Box<F>>> = tasks.into_iter().map(Box::pin).collect();
    let mut outputs: VecDeque<Option<F::Output>> = tasks.iter().map(|_| None).collect();
    poll_fn(|context| {
        for (task, output) in tasks.iter_mut().zip(&mut outputs) {
            if output.is_none()
                && let Poll::Ready(value) = task.as_mut().poll(context)
            {
                *output = Some(value);
            }
        }
        while let Some(first) = outputs.front_mut() {
            match first.take() {
                Some(value) => take(value),
                None => return Poll::Pending,
            }
            outputs.pop_front();
            tasks.pop_front();
        }
        Poll::Ready(())
    })
    .await
}

/// Awaits both concurrently, and each to its end, whatever comes of the other.
pub(crate) async fn both<A, B>(
    one: impl Future<Output = A>,
    other: impl Future<Output = B>,
) -> (A, B) {
    let (mut one, mut other) = (std::pin::pin!(one), std::pin::pin!(other));
    let (mut first, mut second) = (None, None);
    poll_fn(|context| {
        if first.is_none()
            && let Poll::Ready(value) = one.as_mut().poll(context)
        {
            first = Some(value);
        }
        if second.is_none()
            && let Poll::Ready(value) = other.as_mut().poll(context)
        {
            second = Some(value);
        }
        match (first.take(), second.take()) {
            (Some(first), Some(second)) => Poll::Ready((first, second)),
            (one, other) => {
                (first, second) = (one, other);
                Poll::Pending
            }
        }
    })
    .await
}

/// Awaits the work, or gives `None` once the other one is done; the work is dropped then.
pub(super) async fn unless<T>(
    work: impl Future<Output = T>,
    other: impl Future<Output = ()>,
) -> Option<T> {
    let (mut work, mut other) = (std::pin::pin!(work), std::pin::pin!(other));
    poll_fn(|context| {
        if let Poll::Ready(value) = work.as_mut().poll(context) {
            return Poll::Ready(Some(value));
        }
        other.as_mut().poll(context).map(|()| None)
    })
    .await
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::future::{pending, ready};

    #[test]
    fn outputs_keep_their_order_whatever_ends_first() {
        let begun = RefCell::new(0);
        let task = |n: usize| {
            let begun = &begun;
            async move {
                *begun.borrow_mut() += 1;
                // Nobody ends before all have begun.
                poll_fn(|context| {
                    context.waker().wake_by_ref();
                    if *begun.borrow() == 3 {
                        Poll::Ready(())
                    } else {
                        Poll::Pending
                    }
                })
                .await;
                n
            }
        };
        assert_eq!(pollster::block_on(together([2, 0, 1].map(task))), [2, 0, 1]);
        let none: [std::future::Ready<u8>; 0] = [];
        assert!(pollster::block_on(together(none)).is_empty());
    }

    #[test]
    fn what_comes_early_waits_for_what_is_before_it() {
        // The second is done at once, the first and the third after so many looks.
        let looks = RefCell::new([0; 3]);
        let task = |n: usize| {
            let (looks, enough) = (&looks, [3, 1, 9][n]);
            poll_fn(move |context| {
                context.waker().wake_by_ref();
                let looks = &mut looks.borrow_mut()[n];
                *looks += 1;
                match *looks >= enough {
                    true => Poll::Ready(n),
                    false => Poll::Pending,
                }
            })
        };
        let mut taken = Vec::new();
        let all = in_order([0, 1, 2].map(task), |n| {
            taken.push((n, looks.borrow()[2]));
        });
        pollster::block_on(all);
        let order: Vec<usize> = taken.iter().map(|(n, _)| *n).collect();
        assert_eq!(order, [0, 1, 2]);
        assert!(taken[0].1 < 9 && taken[1].1 < 9, "{taken:?}");
    }

    #[test]
    fn work_that_is_done_wins_over_the_end_of_its_time() {
        assert_eq!(pollster::block_on(unless(ready(7), ready(()))), Some(7));
        assert_eq!(pollster::block_on(unless(pending::<u8>(), ready(()))), None);
    }
}
