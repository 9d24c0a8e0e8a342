//! Which layers of memory a chat uses, as one word.

use super::{BUILT_IN, READ_ARTIFACT};

/// How much a memory does. Each step keeps and uses more than the one before it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Preset {
    /// Nothing is kept and nothing recalled: a chat that is forgotten with the page.
    Stateless,
    /// What was said is kept and recalled, verbatim. Nothing is read out of it, so no request goes out for that.
    Episodic,
    /// What was said, the facts in it, and memory files; each message brings back what fits it.
    #[default]
    Assistant,
    /// The same, and Claude has tools for it: the memory tool, recall, remember, and marking a fact stale.
    Agent,
}

impl Preset {
    pub const ALL: [Preset; 4] = [
        Preset::Stateless,
        Preset::Episodic,
        Preset::Assistant,
        Preset::Agent,
    ];

    pub fn from_name(name: &str) -> Option<Preset> {
        Preset::ALL.into_iter().find(|preset| preset.name() == name)
    }

    /// A stable name, the same in Rust and in the package.
    pub fn name(self) -> &'static str {
        match self {
            Preset::Stateless => "stateless",
            Preset::Episodic => "episodic",
            Preset::Assistant => "assistant",
            Preset::Agent => "agent",
        }
    }

    /// Whether turns are stored, recalled, and quoted when a session begins.
    pub fn keeps_turns(self) -> bool {
        self != Preset::Stateless
    }

    /// Whether facts are read out of what was said, and facts and memory files are recalled.
    pub fn keeps_facts(self) -> bool {
        matches!(self, Preset::Assistant | Preset::Agent)
    }

    /// The names of this library's own tools that a new session gets. Results of the host's tools can be large: then Claude can
    /// read what is set aside of them.
    pub fn tools(self, host_has_tools: bool) -> &'static [&'static str] {
        match self {
            Preset::Agent => &BUILT_IN,
            _ if host_has_tools && self.keeps_turns() => &[READ_ARTIFACT],
            _ => &[],
        }
    }
}
