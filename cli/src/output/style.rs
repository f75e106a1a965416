//! Colour, decided once.

/// How a piece of text is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Tone {
    #[default]
    Plain,
    Good,
    Careful,
    Bad,
    Dim,
}

/// Whether text is coloured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    on: bool,
}

/// Back to how it was.
pub(crate) const RESET: &str = "\x1b[0m";
/// A title.
pub(crate) const BOLD: &str = "\x1b[1m";

impl Style {
    pub(crate) const fn new(on: bool) -> Self {
        Self { on }
    }

    /// What is written before text of this tone, if anything is; after it comes [`RESET`].
    pub(crate) const fn start(self, tone: Tone) -> Option<&'static str> {
        match tone {
            _ if !self.on => None,
            Tone::Plain => None,
            Tone::Good => Some("\x1b[32m"),
            Tone::Careful => Some("\x1b[33m"),
            Tone::Bad => Some("\x1b[31m"),
            Tone::Dim => Some("\x1b[2m"),
        }
    }

    /// What is written before a title.
    pub(crate) const fn title(self) -> Option<&'static str> {
        if self.on { Some(BOLD) } else { None }
    }
}
