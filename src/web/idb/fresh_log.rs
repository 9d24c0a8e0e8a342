//! A new log for Chromium's database, before anything is written to it.
//!
//! Chromium keeps all databases of an origin in one LevelDB, and goes on writing at the end of the log that it finds.
//! Where the browser died within a write, that end is half an entry. It does no harm at the next start, but what is then
//! written behind it is taken for damage at the start after that, and Chromium gives up everything that the origin has
//! stored ("checksum mismatch", `dataLoss: "total"`; seen in Chromium 156, `tests/e2e/torn-log.test.mjs`).
//!
//! Deleting a database, an empty one as well, makes LevelDB move what its log holds into tables and begin a new log. So
//! that is done once, when a memory was opened and before its first write. Chromium does it beside, on a busy machine up to
//! 100 ms after the database counts as deleted; a death so soon after the first write would still leave half an entry amid
//! the log.

use super::connection::{factory, settled};
use super::failure::Exception;
use super::patience;
use js_sys::{Promise, Reflect};
use std::cell::RefCell;
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_futures::{JsFuture, future_to_promise};
use web_sys::IdbDatabase;

/// How long a write waits for the new log, in milliseconds; it took 5 to 30 where nothing else ran. Later it still
/// comes, and helps, but a browser as slow as that should not hold up a save any more.
const LIMIT_MS: u32 = 500;

/// The new log of one store.
#[derive(Default)]
pub struct FreshLog(RefCell<State>);

#[derive(Default)]
enum State {
    #[default]
    NotBegun,
    Begun(Promise),
    Done,
}

impl FreshLog {
    /// Comes back when there is a new log, which it asks for at the first call. It never fails: writing into an old log
    /// is what every other page does.
    pub async fn ensure(&self, database_name: &str) {
        let begun = match &*self.0.borrow() {
            State::Done => return,
            State::Begun(begun) => Some(begun.clone()),
            State::NotBegun => None,
        };
        let begun = begun.unwrap_or_else(|| begin(format!("{database_name}-fresh-log")));
        self.0.replace(State::Begun(begun.clone()));
        let _ = JsFuture::from(begun).await;
        self.0.replace(State::Done);
    }
}

fn begin(scratch: String) -> Promise {
    future_to_promise(async move {
        if is_chromium() {
            patience::settle(LIMIT_MS, make_and_delete(scratch), |_| ()).await;
        }
        Ok(JsValue::UNDEFINED)
    })
}

/// Only Chromium tells of a database that it gave up, and only its databases are like this.
fn is_chromium() -> bool {
    let interface = Reflect::get(&js_sys::global(), &"IDBVersionChangeEvent".into());
    let prototype = interface.and_then(|interface| Reflect::get(&interface, &"prototype".into()));
    prototype.is_ok_and(|prototype| Reflect::has(&prototype, &"dataLoss".into()).unwrap_or(false))
}

/// What another tab does with the same name at this moment only puts the requests in line.
async fn make_and_delete(scratch: String) -> Result<(), Exception> {
    let factory = factory()?;
    let made = factory.open_with_u32(&scratch, 1)?;
    settled(&made).await?;
    made.result()?.unchecked_into::<IdbDatabase>().close();
    let deleted = factory.delete_database(&scratch)?;
    settled(&deleted).await
}
