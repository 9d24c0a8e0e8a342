//! The folder that is read: `corpus.jsonl`, one line per turn, and `questions.jsonl`, one line per question.

use onhand::model::{RecordRef, Role, SessionId, Turn, TurnId};
use onhand::time::Timestamp;
use serde::Deserialize;
use serde_json::json;
use std::collections::HashMap;
use std::error::Error;
use std::path::Path;

#[derive(Deserialize)]
struct TurnLine {
    conv: String,
    id: String,
    session: String,
    speaker: String,
    /// Seconds since 1970.
    ts: Option<f64>,
    text: String,
}

#[derive(Deserialize)]
struct QuestionLine {
    conv: String,
    qid: String,
    question: String,
    category: String,
    evidence: Vec<String>,
    /// Seconds since 1970.
    now: Option<f64>,
}

pub struct Conversation {
    pub name: String,
    pub turns: Vec<Turn>,
    /// The name of each turn in the data.
    pub names: HashMap<TurnId, String>,
    pub questions: Vec<Question>,
}

pub struct Question {
    pub id: String,
    pub text: String,
    pub category: String,
    pub evidence: Vec<RecordRef>,
    pub now: Timestamp,
}

/// Reads a folder; conversations in the order in which they begin.
pub fn read(folder: &Path) -> Result<Vec<Conversation>, Box<dyn Error>> {
    let text = |name| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
    };
    parse(&text("corpus.jsonl")?, &text("questions.jsonl")?)
}

/// The same of the texts of the two files.
pub fn parse(corpus: &str, questions: &str) -> Result<Vec<Conversation>, Box<dyn Error>> {
    let mut conversations: Vec<Conversation> = Vec::new();
    let mut places: HashMap<(String, String), TurnId> = HashMap::new();
    let mut sessions: HashMap<(String, String), (SessionId, u32)> = HashMap::new();
    for line in lines(corpus) {
        let line: TurnLine = serde_json::from_str(line)?;
        let at = moment(line.ts.unwrap_or_default());
        let n_sessions = sessions.len();
        let (session, next) = sessions
            .entry((line.conv.clone(), line.session))
            .or_insert_with(|| (SessionId::new(at.unix_ms, n_sessions as u128), 0));
        let id = TurnId {
            session: *session,
            index: *next,
        };
        *next += 1;
        if conversations.iter().all(|known| known.name != line.conv) {
            conversations.push(Conversation {
                name: line.conv.clone(),
                turns: Vec::new(),
                names: HashMap::new(),
                questions: Vec::new(),
            });
        }
        let conversation = of(&mut conversations, &line.conv)?;
        conversation.names.insert(id, line.id.clone());
        conversation
            .turns
            .push(turn(id, &line.speaker, at, &line.text));
        places.insert((line.conv, line.id), id);
    }
    for line in lines(questions) {
        let line: QuestionLine = serde_json::from_str(line)?;
        let conversation = of(&mut conversations, &line.conv)?;
        let last = conversation.turns.iter().map(|turn| turn.at).max();
        let evidence = line.evidence.iter().map(|id| {
            let place = places.get(&(line.conv.clone(), id.clone()));
            place
                .map(|id| RecordRef::Turn(*id))
                .ok_or_else(|| format!("no turn {id} in {}", line.conv))
        });
        conversation.questions.push(Question {
            id: line.qid,
            text: line.question,
            category: line.category,
            evidence: evidence.collect::<Result<_, _>>()?,
            now: line.now.map(moment).or(last).unwrap_or(Timestamp::utc(0)),
        });
    }
    Ok(conversations)
}

fn lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim().is_empty())
}

fn of<'a>(all: &'a mut [Conversation], name: &str) -> Result<&'a mut Conversation, String> {
    let found = all
        .iter_mut()
        .find(|conversation| conversation.name == name);
    found.ok_or_else(|| format!("no turn of the conversation {name}"))
}

fn moment(seconds: f64) -> Timestamp {
    Timestamp::utc((seconds * 1000.0) as i64)
}

/// `user` and `assistant` are the two of a chat with Claude; everybody else has a name.
fn turn(id: TurnId, speaker: &str, at: Timestamp, text: &str) -> Turn {
    let (role, speaker) = match speaker {
        "user" => (Role::User, None),
        "assistant" => (Role::Assistant, None),
        name => (Role::User, Some(name.to_owned())),
    };
    Turn {
        v: Turn::VERSION,
        id,
        role,
        speaker,
        content: vec![json!({ "type": "text", "text": text })],
        at,
    }
}
