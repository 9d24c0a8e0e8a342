//! A circuit breaker: who fails again and again is left alone for a while, and asked once before it is trusted again.
//!
//! It holds no clock and does nothing by itself: whoever uses it asks [`Circuit::admits`] before a try and says how it went.

/// When a circuit opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    /// So many failures in a row open it.
    pub failures: u32,
    /// It is open for so long at first; each failure of the one try after that doubles it.
    pub first_wait_ms: i64,
    pub longest_wait_ms: i64,
}

/// Around recall in a chat. One failure may be a moment's, such as a transaction that the browser aborted, and two may have the
/// same cause; the third in a row is a state. A person is there and wants memory back, so it is tried again after 5 s, and at
/// least every five minutes.
pub const RECALL: Rules = Rules {
    failures: 3,
    first_wait_ms: 5_000,
    longest_wait_ms: 300_000,
};

/// Around reading facts. A job waits by itself after it failed; this is for many jobs that would all learn the same of an
/// endpoint that is down. The waits stay below those of a single job that failed as often, so that it never waits longer for them.
pub const EXTRACTION: Rules = Rules {
    failures: 3,
    first_wait_ms: 30_000,
    longest_wait_ms: 3_600_000,
};

/// How a circuit stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// All is well.
    Closed,
    /// Nothing is tried.
    Open,
    /// One try is under way.
    HalfOpen,
}

impl Position {
    /// A stable name, the same in Rust and in the package.
    pub fn name(self) -> &'static str {
        match self {
            Position::Closed => "closed",
            Position::Open => "open",
            Position::HalfOpen => "halfOpen",
        }
    }
}

/// What a status tells of a circuit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CircuitStatus {
    pub position: Position,
    /// Failures in a row.
    pub failures: u32,
    /// Until the next try may be made; 0 if that is now.
    pub retry_in_ms: i64,
}

/// The circuit breaker.
#[derive(Clone, Debug)]
pub struct Circuit {
    rules: Rules,
    position: Position,
    failures: u32,
    wait_ms: i64,
    /// When it opened, or the one try began.
    since_ms: i64,
}

impl Circuit {
    /// A closed one.
    pub fn new(rules: Rules) -> Circuit {
        Circuit {
            rules,
            position: Position::Closed,
            failures: 0,
            wait_ms: rules.first_wait_ms,
            since_ms: 0,
        }
    }

    /// Whether a try may be made now. The first one after the wait makes the circuit half-open; if nobody ever tells how it went,
    /// the next one may be made after as long a wait.
    pub fn admits(&mut self, now_ms: i64) -> bool {
        if self.retry_in_ms(now_ms) > 0 {
            return false;
        }
        if self.position != Position::Closed {
            self.position = Position::HalfOpen;
            self.since_ms = now_ms;
        }
        true
    }

    /// Something that was tried worked.
    pub fn succeeded(&mut self) {
        *self = Circuit::new(self.rules);
    }

    /// Something that was tried failed. What was begun before the circuit opened changes nothing any more.
    pub fn failed(&mut self, now_ms: i64) {
        self.failures = self.failures.saturating_add(1);
        match self.position {
            Position::Closed if self.failures < self.rules.failures => return,
            Position::Closed => {}
            Position::HalfOpen => {
                self.wait_ms = self
                    .wait_ms
                    .saturating_mul(2)
                    .min(self.rules.longest_wait_ms);
            }
            Position::Open => return,
        }
        self.position = Position::Open;
        self.since_ms = now_ms;
    }

    /// Until the next try may be made; 0 if that is now. A clock that was set back makes nobody wait for it.
    pub fn retry_in_ms(&self, now_ms: i64) -> i64 {
        let passed_ms = now_ms.saturating_sub(self.since_ms);
        match self.position {
            Position::Closed => 0,
            _ if passed_ms < 0 => 0,
            _ => (self.wait_ms - passed_ms).max(0),
        }
    }

    pub fn status(&self, now_ms: i64) -> CircuitStatus {
        CircuitStatus {
            position: self.position,
            failures: self.failures,
            retry_in_ms: self.retry_in_ms(now_ms),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const RULES: Rules = Rules {
        failures: 3,
        first_wait_ms: 10,
        longest_wait_ms: 35,
    };

    fn open() -> Circuit {
        let mut circuit = Circuit::new(RULES);
        for _ in 0..3 {
            assert!(circuit.admits(0));
            circuit.failed(0);
        }
        circuit
    }

    #[test]
    fn it_opens_after_failures_in_a_row_only() {
        let mut circuit = Circuit::new(RULES);
        for _ in 0..10 {
            circuit.failed(0);
            circuit.failed(0);
            circuit.succeeded();
        }
        assert!(circuit.admits(0));
        assert!(!open().admits(0));
    }

    #[test]
    fn one_try_after_a_wait_that_doubles() {
        let mut circuit = open();
        let mut now = 0;
        for wait in [10, 20, 35, 35] {
            assert!(!circuit.admits(now + wait - 1));
            now += wait;
            assert!(circuit.admits(now));
            assert_eq!(circuit.status(now).position, Position::HalfOpen);
            assert!(!circuit.admits(now), "one only");
            circuit.failed(now);
        }
        assert!(circuit.admits(now + 35));
        circuit.succeeded();
        assert_eq!(circuit.status(now).position, Position::Closed);
        for _ in 0..3 {
            circuit.failed(now);
        }
        assert_eq!(circuit.retry_in_ms(now), 10, "the waits begin anew");
    }

    #[test]
    fn a_try_of_which_nothing_is_heard_is_not_the_last() {
        let mut circuit = open();
        assert!(circuit.admits(10));
        assert!(!circuit.admits(19));
        assert!(circuit.admits(20));
    }

    #[test]
    fn a_clock_that_is_set_back_keeps_nobody_waiting() {
        let mut circuit = open();
        assert!(circuit.admits(-1));
    }

    #[test]
    fn waits_for_extraction_stay_below_those_of_one_job() {
        // `memory::learn`: 5 s times 2ⁿ after the n-th failure, at most an hour.
        let mut circuit = Circuit::new(EXTRACTION);
        let mut now = 0;
        for n in 1..20 {
            assert!(circuit.admits(now));
            circuit.failed(now);
            let job_waits = (5_000_i64 << n).min(3_600_000);
            assert!(circuit.retry_in_ms(now) <= job_waits, "after failure {n}");
            now += job_waits;
        }
    }

    #[derive(Clone, Debug)]
    enum Step {
        Try { works: bool },
        Lost,
        Pass(i64),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            4 => any::<bool>().prop_map(|works| Step::Try { works }),
            1 => Just(Step::Lost),
            3 => (0..40_i64).prop_map(Step::Pass),
        ];
        prop::collection::vec(step, 0..80)
    }

    proptest! {
        /// Whatever happens: while closed everything passes, an open one admits nothing before its wait is over and one try after
        /// it, and a wait is never longer than the longest.
        #[test]
        fn it_is_never_shut_for_good_and_never_open_to_all(steps in steps()) {
            let mut circuit = Circuit::new(RULES);
            let (mut now, mut in_a_row, mut tries_since_opened) = (0, 0, 0);
            for step in steps {
                let before = circuit.status(now);
                prop_assert!((0..=RULES.longest_wait_ms).contains(&before.retry_in_ms));
                prop_assert_eq!(before.position == Position::Closed, in_a_row < RULES.failures);
                match step {
                    Step::Pass(ms) => now += ms,
                    Step::Try { .. } | Step::Lost => {
                        let admitted = circuit.admits(now);
                        prop_assert_eq!(admitted, before.retry_in_ms == 0);
                        if !admitted {
                            continue;
                        }
                        tries_since_opened += 1;
                        match step {
                            Step::Try { works: true } => {
                                circuit.succeeded();
                                (in_a_row, tries_since_opened) = (0, 0);
                            }
                            Step::Try { works: false } => {
                                circuit.failed(now);
                                in_a_row += 1;
                                if in_a_row >= RULES.failures {
                                    prop_assert_eq!(circuit.status(now).position, Position::Open);
                                    tries_since_opened = 0;
                                }
                            }
                            _ => {}
                        }
                        if in_a_row >= RULES.failures && tries_since_opened > 0 {
                            prop_assert!(!circuit.admits(now), "a second try at once");
                        }
                    }
                }
            }
            prop_assert!(circuit.admits(now + RULES.longest_wait_ms));
        }
    }
}
