// Conversations that a seed makes: sentences about a household's life, with names, numbers, days and things that come back.
// For tests and benchmarks that need many turns; nothing in them was said by anybody.

const NAMES = ["Ines", "Paul", "Mara", "Tomek", "Aiko", "Jonas", "Priya", "Luis", "Greta", "Omar", "Hanna", "Felix"];
const PLACES = ["Porto", "Rostock", "Vienna", "Kyoto", "Lagos", "Oslo", "Turin", "Bergen", "Lyon", "Ghent", "Krakow", "Tartu"];
const DONE = ["bought", "repaired", "sold", "painted", "cancelled", "ordered", "cleaned", "forgot", "returned", "borrowed", "photographed", "measured"];
const QUALITIES = ["blue", "heavy", "second-hand", "wooden", "broken", "tiny", "borrowed", "noisy", "striped", "electric", "antique", "foldable"];
const THINGS = [
  "boat", "kitchen table", "bicycle", "piano", "tent", "greenhouse", "camera", "sewing machine", "canoe", "bookshelf", "lawn mower", "telescope",
  "coffee grinder", "violin", "ladder", "sofa", "microscope", "dishwasher", "rain barrel", "typewriter", "chess board", "sledge", "hammock", "kettle",
  "wardrobe", "printer", "aquarium", "carpet", "accordion", "drill", "globe", "lantern", "mirror", "radio", "suitcase", "trumpet",
];
const FEELINGS = ["looks forward to", "is afraid of", "is tired of", "often talks about", "has to prepare", "wants to postpone", "is proud of", "keeps dreaming of"];
const EVENTS = [
  "the dentist appointment", "the marathon", "the exam in anatomy", "the school play", "the tax return", "the wedding", "the job interview", "the moving day",
  "the choir rehearsal", "the eye test", "the flea market", "the night shift", "the swimming lesson", "the housewarming", "the pottery course", "the train ride",
];
const DAYS = ["yesterday", "last week", "on Monday", "in March", "two weeks ago", "on Friday evening", "this morning", "last summer", "on May 7", "in the autumn"];
const REPLIES = ["Noted.", "That sounds good.", "How did it go?", "I will keep that in mind.", "Shall I remind you?", "Tell me more when you know."];

/** Numbers from 0 to below 1 that follow from a seed: mulberry32. */
export function randomOf(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Sentences without end. */
export function* sentences(seed) {
  const random = randomOf(seed);
  const one = (list) => list[Math.floor(random() * list.length)];
  const number = (most) => 1 + Math.floor(random() * most);
  const kinds = [
    () => `${one(NAMES)} ${one(DONE)} the ${one(QUALITIES)} ${one(THINGS)} in ${one(PLACES)} ${one(DAYS)}.`,
    () => `The ${one(QUALITIES)} ${one(THINGS)} cost ${number(900) * 5} euros, order number ${10_000 + number(89_999)}.`,
    () => `${one(NAMES)} ${one(FEELINGS)} ${one(EVENTS)} with ${one(NAMES)}.`,
    () => `We moved ${one(EVENTS)} to the ${number(28)}th because of the ${one(THINGS)}.`,
    () => `I ${one(DONE)} a ${one(THINGS)} for ${one(NAMES)} and took it to ${one(PLACES)}; the key is under the ${one(QUALITIES)} ${one(THINGS)}.`,
    () => `My ${one(THINGS)} is called ${one(PLACES)} ${number(99)}, after the trip with ${one(NAMES)}.`,
  ];
  for (;;) yield one(kinds)();
}

/** A task folder's two files: `sessions` conversations on different days, and questions about some of their turns. */
export function taskFolder({ seed, sessions, turnsPerSession, nQuestions }) {
  const random = randomOf(seed ^ 0x5bd1e995);
  const text = sentences(seed);
  const start = Date.UTC(2026, 0, 5, 9) / 1000;
  const turns = [];
  for (let session = 0; session < sessions; session++) {
    for (let i = 0; i < turnsPerSession; i++) {
      const isReply = i % 2 === 1;
      const words = isReply && random() < 0.5 ? REPLIES[Math.floor(random() * REPLIES.length)] : text.next().value;
      const ts = start + session * 86_400 * 2 + i * 60;
      turns.push({ conv: "made", id: `S${session}:${i}`, session: `S${session}`, speaker: isReply ? "assistant" : "user", ts, text: words });
    }
  }
  const questions = [];
  while (questions.length < nQuestions) {
    const turn = turns[Math.floor(random() * turns.length)];
    const words = turn.text.match(/[\p{L}\d]+/gu).filter((word) => word.length > 3);
    if (words.length < 4) continue;
    // Some words of the turn in another order, sometimes with a day or a name that it does not hold.
    const asked = words.filter(() => random() < 0.5).reverse();
    const extra = [["last week"], ["Ines"], ["in March"], []][questions.length % 4];
    const question = `What about ${[...asked, ...extra].join(" ")}?`;
    questions.push({ conv: "made", qid: `Q${questions.length}`, question, category: String(questions.length % 4), evidence: [turn.id] });
  }
  return { turns, questions };
}
