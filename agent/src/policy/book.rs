//! Where each policy comes from: the file, and above it what an operator has set since.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::ensure;
use connctl_api::limit::{LimitRow, LimitScope, LimitSource, LimitValue};

use crate::config::policy::count;
use crate::config::{Keys, ListenerSettings, Policies, Settings};

/// The keys that the agent itself has.
const AGENT_KEYS: [&str; 1] = ["max_connections"];

/// The policies of an agent by where they come from.
#[derive(Debug)]
pub struct Book(Mutex<Layers>);

/// A state of the book; a change is made on a copy and written back as a whole.
#[derive(Debug, Clone)]
pub struct Layers {
    agent: Layer,
    listeners: Vec<(String, Layer)>,
}

/// One scope.
#[derive(Debug, Clone, Default)]
struct Layer {
    file: Keys,
    set: Keys,
}

/// The agent, or a listener by its place in the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All listeners together.
    Agent,
    /// One of them.
    Listener(usize),
}

impl Book {
    /// As the file has it.
    pub fn new(settings: &Settings) -> Self {
        Self(Mutex::new(Layers::of(settings)))
    }

    /// The book, to look or to change. Hold it briefly.
    pub fn open(&self) -> MutexGuard<'_, Layers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Layers {
    /// As the file has it, and nothing set.
    pub fn of(settings: &Settings) -> Self {
        let agent = Keys { max_connections: settings.max_connections, ..Keys::default() };
        let layer = |file: Keys| Layer { file, set: Keys::default() };
        let of = |listener: &ListenerSettings| (listener.name.clone(), layer(listener.keys.clone()));
        Self { agent: layer(agent), listeners: settings.listeners.iter().map(of).collect() }
    }

    /// Every scope, the agent first.
    pub fn scopes(&self) -> Vec<Scope> {
        std::iter::once(Scope::Agent).chain((0..self.listeners.len()).map(Scope::Listener)).collect()
    }

    /// The keys of a scope.
    pub const fn keys(scope: Scope) -> &'static [&'static str] {
        match scope {
            Scope::Agent => &AGENT_KEYS,
            Scope::Listener(_) => Keys::NAMES,
        }
    }

    /// Sets a key.
    ///
    /// # Errors
    /// A key or a value that is wrong, by name, with what is allowed.
    pub fn set(&mut self, scope: Scope, key: &str, value: &LimitValue) -> anyhow::Result<()> {
        let layer = self.layer(scope);
        let mut set = layer.set.clone();
        set.set(key, value)?;
        ensure!(Self::keys(scope).contains(&key), "{key} is a listener's: say of which listeners");
        layer.set = set;
        Ok(())
    }

    /// Forgets what was set of a key.
    ///
    /// # Errors
    /// A key that there is not, by name.
    pub fn unset(&mut self, scope: Scope, key: &str) -> anyhow::Result<()> {
        self.layer(scope).set.unset(key)?;
        ensure!(Self::keys(scope).contains(&key), "{key} is a listener's: say of which listeners");
        Ok(())
    }

    fn layer(&mut self, scope: Scope) -> &mut Layer {
        match scope {
            Scope::Listener(index) if index < self.listeners.len() => &mut self.listeners[index].1,
            Scope::Agent | Scope::Listener(_) => &mut self.agent,
        }
    }

    /// The agent's `max_connections`, and the policies of each listener.
    ///
    /// # Errors
    /// Values that do not go together, by name.
    pub fn policies(&self) -> anyhow::Result<(usize, Vec<Policies>)> {
        let of = |(name, layer): &(String, Layer)| {
            Policies::check(&layer.set.over(&layer.file), |key| format!("{key} of listener {name:?}"))
        };
        let most = count(self.agent.set.over(&self.agent.file).max_connections);
        Ok((most, self.listeners.iter().map(of).collect::<anyhow::Result<_>>()?))
    }

    /// The limits of a scope, in the order of the table. Of values that do not go together, what is asked for.
    pub fn rows(&self, scope: Scope) -> Vec<LimitRow> {
        let (listener, layer) = match scope {
            Scope::Listener(index) => match self.listeners.get(index) {
                Some((name, layer)) => (Some(name), layer),
                None => return Vec::new(),
            },
            Scope::Agent => (None, &self.agent),
        };
        let asked = layer.set.over(&layer.file);
        let in_force = asked.over(&Policies::check(&asked, str::to_owned).unwrap_or_default().keys());
        let row = |key: &&str| {
            let source = match (layer.set.get(key), layer.file.get(key)) {
                (Some(_), _) => LimitSource::Set,
                (None, Some(_)) => LimitSource::File,
                (None, None) => LimitSource::Default,
            };
            Some(LimitRow {
                key: (*key).to_owned(),
                scope: if listener.is_some() { LimitScope::Listener } else { LimitScope::Agent },
                listener: listener.cloned(),
                value: in_force.get(key)?,
                source,
            })
        };
        Self::keys(scope).iter().filter_map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check::{Flags, settings};
    use crate::config::file::parse;

    const FRONT: Scope = Scope::Listener(0);

    fn layers(text: &str) -> Layers {
        Layers::of(&settings(Flags::default(), parse(text).unwrap()).unwrap())
    }

    fn row(layers: &Layers, scope: Scope, key: &str) -> (String, LimitSource) {
        let row = layers.rows(scope).into_iter().find(|row| row.key == key).unwrap();
        (row.value.to_string(), row.source)
    }

    const LISTENER: &str = "[[listener]]\nname='front'\nmode='echo'\nbind='127.0.0.1:0'\n";

    #[test]
    fn what_is_set_stands_above_the_file_and_that_above_the_default() {
        let mut layers = layers(&format!("max_connections=9\n{LISTENER}idle_timeout='1h'\n"));
        assert_eq!(row(&layers, Scope::Agent, "max_connections"), ("9".into(), LimitSource::File));
        assert_eq!(row(&layers, FRONT, "idle_timeout"), ("1h".into(), LimitSource::File));
        assert_eq!(row(&layers, FRONT, "idle_check_interval"), ("5m".into(), LimitSource::Default));
        assert_eq!(row(&layers, FRONT, "max_per_uid"), ("0".into(), LimitSource::Default));
        layers.set(FRONT, "idle_timeout", &"2m".into()).unwrap();
        layers.set(FRONT, "max_per_uid", &"5".into()).unwrap();
        assert_eq!(row(&layers, FRONT, "idle_timeout"), ("2m".into(), LimitSource::Set));
        assert_eq!(row(&layers, FRONT, "idle_check_interval"), ("2m".into(), LimitSource::Default));
        let (most, policies) = layers.policies().unwrap();
        assert_eq!(
            (most, policies[0].timeouts.idle_ms, policies[0].limits.max_per_uid),
            (9, Some(120_000), 5)
        );
        layers.unset(FRONT, "idle_timeout").unwrap();
        assert_eq!(row(&layers, FRONT, "idle_timeout"), ("1h".into(), LimitSource::File));
    }

    #[test]
    fn the_agent_has_keys_of_its_own() {
        let mut layers = layers(LISTENER);
        layers.set(Scope::Agent, "max_connections", &"3".into()).unwrap();
        assert_eq!(layers.policies().unwrap().0, 3);
        for error in [
            layers.set(Scope::Agent, "max_per_uid", &"3".into()).unwrap_err(),
            layers.unset(Scope::Agent, "max_per_uid").unwrap_err(),
        ] {
            assert_eq!(error.to_string(), "max_per_uid is a listener's: say of which listeners");
        }
        assert_eq!(layers.rows(Scope::Agent).len(), 1);
    }

    #[test]
    fn values_that_do_not_go_together_are_an_error() {
        let mut layers = layers(LISTENER);
        layers.set(FRONT, "idle_check_interval", &"5s".into()).unwrap();
        let error = layers.policies().unwrap_err().to_string();
        assert!(
            error.contains("idle_check_interval of listener \"front\"") && error.contains("5s"),
            "{error}"
        );
        layers.set(FRONT, "idle_timeout", &"none".into()).unwrap();
        assert!(layers.policies().is_ok());
    }
}
