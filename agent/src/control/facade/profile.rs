//! Where a system's document and its code differ, the answer follows the `compat` setting. Each difference is
//! one function here, with its row in the table of conflicts between the seed documents and the code.
//! Defects of an original are copied in neither profile: an answer of 500 after one second (row 2), a frame
//! that counts twice (row 5), a socket left open by a removal (row 9).

use std::time::Duration;

use connctl_api::listener::RejectMode;

use crate::config::{Compat, Settings};

/// Which of the two to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Profile(Compat);

/// How a duration is written in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DurationForm {
    /// `"30m0s"`
    Text,
    /// `1800000000000`
    Nanoseconds,
}

/// What the status of a successful WuKongIM answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OkStatus {
    /// `"ok"`
    Word,
    /// `200`
    Number,
}

impl Profile {
    /// The profile of these settings.
    pub(super) fn of(settings: &Settings) -> Self {
        Self(settings.compat)
    }

    const fn is_documented(self) -> bool {
        matches!(self.0, Compat::Documented)
    }

    /// Row 1, Scassandra: the document's `/server/listener` was never routed. No client can depend on its
    /// absence, so both profiles serve it beside `/current/listener`.
    pub(super) const fn serves_server_listener(self) -> bool {
        match self.0 {
            Compat::Documented | Compat::Actual => true,
        }
    }

    /// Row 3, Scassandra: "rejects" means that dials fail; in the code they succeed and nobody answers.
    pub(super) const fn scassandra_reject(self) -> RejectMode {
        if self.is_documented() { RejectMode::Refuse } else { RejectMode::Stall }
    }

    /// Row 4, Simulacron: a listener's `type` has a default; in the code its absence is an error.
    pub(super) const fn simulacron_type_has_default(self) -> bool {
        self.is_documented()
    }

    /// Row 6, WuKongIM: the status of success.
    pub(super) const fn wukongim_ok(self) -> OkStatus {
        if self.is_documented() { OkStatus::Word } else { OkStatus::Number }
    }

    /// Rows 7 and 8, WuKongIM: a missing user is a bad request, and a connection that is not there (or not
    /// that user's, or named with another node's id) is not found; in the code all of that is success, and
    /// nothing happens.
    pub(super) const fn wukongim_tells_what_is_missing(self) -> bool {
        self.is_documented()
    }

    /// Row 10, HeyNATS: how long a session's connection stays open without a request, and how often the idle
    /// ones are looked for.
    pub(super) const fn heynats_idle(self) -> (Duration, Duration) {
        let (idle_minutes, check_minutes) = if self.is_documented() { (30, 5) } else { (5, 1) };
        (Duration::from_secs(idle_minutes * 60), Duration::from_secs(check_minutes * 60))
    }

    /// Row 11, HeyNATS: how the statistics write durations.
    pub(super) const fn heynats_duration(self) -> DurationForm {
        if self.is_documented() { DurationForm::Text } else { DurationForm::Nanoseconds }
    }

    /// Row 12, HeyNATS: the statistics tell how a session is; in the code asking for them uses the session.
    pub(super) const fn heynats_stats_is_activity(self) -> bool {
        !self.is_documented()
    }

    /// Row 13, HeyNATS: a connection that was closed for being idle comes back with the next request; in the
    /// code its session is gone.
    pub(super) const fn heynats_forgets_the_idle(self) -> bool {
        !self.is_documented()
    }

    /// Row 13, HeyNATS: a session whose connection could not be opened again may try again later; in the code
    /// it is gone.
    pub(super) const fn heynats_forgets_the_failed(self) -> bool {
        !self.is_documented()
    }

    /// HeyNATS: who connects with the cookie of a live session and names another server gets that server; in
    /// the code the old one, whatever was asked for.
    pub(super) const fn heynats_reuses_any_session(self) -> bool {
        !self.is_documented()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_difference_is_one_branch() {
        let documented = Profile(Compat::Documented);
        let actual = Profile(Compat::Actual);
        assert_eq!(documented.scassandra_reject(), RejectMode::Refuse);
        assert_eq!(actual.scassandra_reject(), RejectMode::Stall);
        assert!(documented.serves_server_listener() && actual.serves_server_listener());
        assert!(documented.simulacron_type_has_default() && !actual.simulacron_type_has_default());
        assert_eq!((documented.wukongim_ok(), actual.wukongim_ok()), (OkStatus::Word, OkStatus::Number));
        assert!(documented.wukongim_tells_what_is_missing() && !actual.wukongim_tells_what_is_missing());
        let minutes =
            |profile: Profile| (profile.heynats_idle().0.as_secs(), profile.heynats_idle().1.as_secs());
        assert_eq!((minutes(documented), minutes(actual)), ((1_800, 300), (300, 60)));
        assert_eq!(documented.heynats_duration(), DurationForm::Text);
        assert_eq!(actual.heynats_duration(), DurationForm::Nanoseconds);
        assert!(!documented.heynats_stats_is_activity() && actual.heynats_stats_is_activity());
        assert!(!documented.heynats_forgets_the_idle() && actual.heynats_forgets_the_idle());
        assert!(!documented.heynats_forgets_the_failed() && actual.heynats_forgets_the_failed());
        assert!(!documented.heynats_reuses_any_session() && actual.heynats_reuses_any_session());
    }
}
