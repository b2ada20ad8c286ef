//! The scheduler of a warm start.

use base::units::{Epoch, TrialId};
use methods::interface::{Fate, Fresh, Scheduler, View, Work};

/// First in, first out; every trial pauses at an epoch, from where the second phase may resume it.
pub(super) struct PauseAt(pub(super) Option<Epoch>);

impl Scheduler for PauseAt {
    fn next(&mut self, view: &View<'_>, fresh: Fresh) -> Work {
        let until = self.0.map_or(view.epochs, |epoch| epoch.min(view.epochs));
        match fresh {
            Fresh::Ready => Work::New { until, bracket: 0, own: None },
            Fresh::Wait | Fresh::Exhausted => Work::Wait,
        }
    }

    fn at_until(&mut self, _: &View<'_>, _: TrialId) -> Fate {
        Fate::Pause
    }

    fn ended(&mut self, _: &View<'_>, _: TrialId) {}
}
