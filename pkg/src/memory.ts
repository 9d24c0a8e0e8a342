import { Artifacts } from "./artifacts.js";
import { Audit } from "./audit.js";
import { Chat, type ChatOptions } from "./chat.js";
import { embedRunner, indexRunner, jobRunner } from "./background.js";
import { embedderOption, type EmbedderChoice, type EmbedderOption } from "./embedders.js";
import type { EngineNotice, EngineOptions } from "./engine.js";
import { OnhandError } from "./errors.js";
import { Encryption } from "./encryption.js";
import { Files } from "./files.js";
import { Granted } from "./granted.js";
import { EngineHost } from "./host.js";
import { Keeper } from "./keeping.js";
import type { Models, ModelsOptions } from "./models.js";
import { linesOf } from "./questions.js";
import { Rebuild } from "./rebuild.js";
import type { Runner } from "./runner.js";
import { CommitChannel, filesLock, onReturn, Presence } from "./tabs.js";
import { MemoryTools } from "./tools.js";
import { exportStream, importFrom, type ExportOptions, type ImportOptions, type ImportSource } from "./transfer.js";
import { UsageLog } from "./usage.js";
import type { Block, CheckReport, CompactionOptions, ContextEditingOptions, EmbedderStatus, EngineStatus, EraseReceipt, EraseTarget, Evaluation, EvaluationQuestion, Fact, ImportReport, Job, Judgement, Level, MemoryEvent, Rebuilding, Recalled, RecalledItem, RecallOptions, Session, Status, Turn, TurnFilter, TurnPage } from "./types.js";

export interface MemoryOptions {
  /** Base URL of your edge worker. Default: the page's own origin. It is the only host that is ever contacted. */
  endpoint?: string;
  /** Whose memory. Memories of different users and projects never mix. Default `"me"`. */
  user?: string;
  /** Default `"default"`. */
  project?: string;
  /**
   * Other projects of this user that this memory may read, and only read: `recall(query, { projects })` and `granted(project)`.
   * Default none. Who opens the memory decides; nothing that is stored can.
   */
  grants?: { project: string; recall: true }[];
  /** Name of the IndexedDB database. Default `"onhand"`. */
  database?: string;
  /** The model that chats. Default `claude-sonnet-5-5`. */
  model?: string;
  /** The model that reads facts out of what was said. Default `claude-haiku-5-5`. */
  extractionModel?: string;
  /**
   * How much memory does. `"stateless"`: nothing is kept. `"episodic"`: what was said is kept and recalled, and nothing is read out
   * of it. `"assistant"` (default): facts and memory files, too. `"agent"`: Claude has tools for it, the memory tool among them.
   */
  preset?: "stateless" | "episodic" | "assistant" | "agent";
  /** Your own instructions to Claude. */
  instructions?: string;
  /** How what memory holds gets to Claude. */
  recall?: RecallOptions;
  /** When and how a long session is shortened; false: never. */
  compaction?: CompactionOptions | false;
  /** What Claude's API may leave out of long prompts; false: no tool results. */
  contextEditing?: ContextEditingOptions | false;
  /** What Claude's API is asked about models. */
  models?: ModelsOptions;
  /** Upper limit of the memory put on one message, in tokens. Default 800. */
  blockTokens?: number;
  /** Upper limit of an answer, in tokens. Default 8192. */
  maxTokens?: number;
  /**
   * US dollars that may be spent on one day of the person's clock, all tabs of this user and project together; none by default.
   * When it is reached, messages fail with `budget_reached` and nothing of them is recorded, a loop of tools ends with a notice,
   * and reading facts waits for the next day. The requests that are under way when it is reached are paid. Only for models whose
   * price is known. What failed after it was billed is not known and not counted, nor is, after a reload, what `"stateless"` spent.
   */
  dailyLimit?: number;
  /**
   * How vectors are searched. `"scan"` (default) looks at all of them and is the faster way up to some 200,000; `"hnsw"`
   * has a graph built in a worker, some 2,000 vectors a second; `"auto"` does so above 200,000 and uses it if it is faster here.
   */
  index?: "scan" | "hnsw" | "auto";
  /**
   * Turns text into vectors. Default `"default"`, the table in this package. After a change everything is embedded anew in the
   * background; until that is done, recall goes by the default's vectors. `memory.status().embedder` shows how far it is.
   */
  embedder?: EmbedderChoice;
  /**
   * Whether the browser is asked, with the first thing saved, not to remove the data when it needs room. Default `"ask"`; some
   * browsers then ask the person. With `"never"`, call `memory.storage.persist()` when it suits you.
   */
  persistence?: "ask" | "never";
  /** Where the engine runs: a Web Worker of its own (default), or the page. */
  thread?: "worker" | "page";
  /** Where the embedding table is served, if not from where your bundler put it. */
  tableUrl?: string;
  /** Full panic messages in the console. They can quote what was said: leave it off for users. Default false. */
  debug?: boolean;
}

/** Opens a memory; makes it on first use. */
export function createMemory(options: MemoryOptions = {}): Promise<Memory> {
  return Memory.open(options);
}

/** One person's memory, open. */
export class Memory {
  readonly #host: EngineHost;
  readonly #rebuild: Rebuild;
  readonly #runners: Runner[];
  readonly #tabs: CommitChannel;
  readonly #everyone: CommitChannel;
  readonly #keeper: Keeper;
  readonly #listeners: Set<(event: MemoryEvent) => void>;
  readonly #stopWatching: () => void;

  /** Memory files: what Claude writes down through its memory tool. */
  readonly files: Files;

  /** Large texts: results of tools, and what the person adds. */
  readonly artifacts: Artifacts;

  /** The memory's own tools, for a loop that you run yourself. */
  readonly tools: MemoryTools;

  /** What was changed, and what went to Claude. */
  readonly audit: Audit;

  /** What requests to Claude used and cost. */
  readonly usage: UsageLog;

  /** Encryption of what is stored: off until the person gives a passphrase. */
  readonly encryption: Encryption;

  private constructor(
    name: string,
    host: EngineHost,
    rebuild: Rebuild,
    runners: Runner[],
    channels: [tabs: CommitChannel, everyone: CommitChannel],
    keeper: Keeper,
    listeners: Set<(event: MemoryEvent) => void>,
    faces: { files: Files; audit: Audit; encryption: Encryption },
  ) {
    this.files = faces.files;
    this.artifacts = new Artifacts(host);
    this.tools = new MemoryTools(host, faces.files);
    this.audit = faces.audit;
    this.usage = new UsageLog(host);
    this.encryption = faces.encryption;
    this.#host = host;
    const presence = new Presence(name, () => this.#catchUp());
    const stopListening = onReturn(() => this.#catchUp());
    this.#stopWatching = () => (presence.close(), stopListening());
    this.#rebuild = rebuild;
    this.#runners = runners;
    [this.#tabs, this.#everyone] = channels;
    this.#keeper = keeper;
    this.#listeners = listeners;
  }

  /** @internal Use {@link createMemory}. */
  static async open(options: MemoryOptions): Promise<Memory> {
    const { option, ask } = embedderOption(options.embedder);
    const engine = engineOptions(options, option);
    const name = `onhand:${engine.database}:${engine.user}:${engine.project}`;
    const listeners = new Set<(event: MemoryEvent) => void>();
    const tell = (event: MemoryEvent): void => {
      for (const listener of listeners) listener(event);
    };
    let host: EngineHost | undefined;
    let rebuild: Rebuild | undefined;
    let jobs: Runner | undefined;
    let embedding: Runner | undefined;
    let keeping: Runner | undefined;
    let keeper: Keeper | undefined;
    let encryption: Encryption | undefined;
    const isOwn = option.type === "weights" || option.type === "callback";
    let lastTold = "";
    const tellEmbedder = (status: EmbedderStatus): void => {
      const told = JSON.stringify(status);
      if (told === lastTold) return;
      lastTold = told;
      tell({ type: "embedder", ...status });
    };
    const elsewhere = async (kinds: string[]): Promise<void> => {
      await host?.call({ type: "catchUp" });
      tell({ type: "changed", kinds, elsewhere: true });
      // In line for the lock: if the other tab ends before its work does, this one goes on with it.
      if (kinds.includes("job")) jobs?.wake();
      // Another tab makes vectors for this one too.
      if (kinds.includes("vector") && isOwn) void host?.call<EmbedderStatus>({ type: "embedder" }).then(tellEmbedder, () => {});
    };
    const tabs = new CommitChannel(name, elsewhere);
    const everyone = new CommitChannel(`onhand:${engine.database}`, elsewhere);
    const notice = (notice: EngineNotice): void => {
      if (notice.type === "embedder") {
        tellEmbedder(notice.status);
        if (notice.status.state !== "loading") embedding?.wake();
      }
      if (notice.type !== "committed") return;
      tabs.tell(notice.kinds);
      tell({ type: "changed", kinds: notice.kinds, elsewhere: false });
      keeper?.committed(notice.kinds);
      if (notice.kinds.includes("job")) jobs?.wake();
      keeping?.wakeSoon();
      if (isOwn && notice.kinds.some((kind) => kind === "turn" || kind === "fact")) embedding?.wake();
    };
    const restarted = (reason: string): void => {
      tell({ type: "restarted", reason });
      // The key was in the engine that stopped: an encrypted memory is locked now.
      void encryption?.status().then((status) => status.locked && tell({ type: "encryption", ...status }), () => {});
      void rebuild?.run();
      jobs?.wake();
      embedding?.wake();
    };
    try {
      host = await EngineHost.open(engine, options.thread ?? "worker", { notice, restarted, embed: ask });
    } catch (error) {
      tabs.close();
      everyone.close();
      throw error;
    }
    const opened = host;
    keeper = new Keeper(name, options.persistence !== "never", () => opened.call<EngineStatus>({ type: "status", brief: true }), tell);
    keeper.start();
    rebuild = new Rebuild(host, tell, () => keeping?.wakeSoon());
    void rebuild.run();
    jobs = jobRunner(host, `${name}:jobs`, rebuild);
    embedding = embedRunner(host, `${name}:embedding`, rebuild, tellEmbedder);
    keeping = indexRunner(host, `${name}:index`, rebuild);
    const { user, project } = engine;
    encryption = new Encryption(host, engine.database, (status) => {
      tell({ type: "encryption", ...status });
      if (status.locked) return;
      void rebuild?.run();
      jobs?.wake();
      embedding?.wake();
    });
    const files = new Files(host, filesLock(engine));
    const audit = new Audit(host, { user, project });
    return new Memory(name, host, rebuild, [jobs, embedding, keeping], [tabs, everyone], keeper, listeners, { files, audit, encryption });
  }

  /** A conversation: a new one, or the continuation of a session. */
  chat(options: ChatOptions = {}): Chat {
    return new Chat(this.#host, options);
  }

  /**
   * The memories that fit a query, best first; none if nothing fits. With `projects`, those of these projects are among them, and
   * each item says which it is of; without a grant in `createMemory` the error's code is `not_granted`. Its `partial` says whether
   * records were still being read, which happens in the first seconds of a large memory whose kept index is of no use.
   */
  async recall(
    query: string,
    options: { limit?: number; level?: Level; session?: string; projects?: readonly string[]; signal?: AbortSignal } = {},
  ): Promise<Recalled> {
    const { limit = null, level = null, session = null, projects, signal } = options;
    const asked = projects ? { type: "recallIn", projects: [...projects] } : { type: "recall" };
    const found = await this.#host.call<{ items: RecalledItem[]; partial: Rebuilding | null }>({ ...asked, query, limit, level, session }, signal);
    return Object.defineProperty(found.items, "partial", { value: found.partial }) as Recalled;
  }

  /** The block that a message with this text would carry now, or null if nothing fits. */
  block(query: string, options: { session?: string } = {}): Promise<Block | null> {
    return this.#host.call({ type: "block", query, session: options.session ?? null });
  }

  /** Another project of this user, to be read, if `createMemory` granted it; otherwise its calls throw `not_granted`. */
  granted(project: string): Granted {
    return new Granted(this.#host, project);
  }

  /**
   * How many tokens a text has for Claude, alone or as the next message of a session with all that goes before it; what memory would
   * add is not in it. Claude's API counts: the text goes there, and it is free.
   */
  countTokens(of: string | { session?: string; text: string }, options: { signal?: AbortSignal } = {}): Promise<number> {
    const { session = null, text } = typeof of === "string" ? { text: of } : of;
    return this.#host.call({ type: "countTokens", session, text }, options.signal);
  }

  /** What is known of Claude's models: limits, capabilities and prices, each with where it is from. Asks nobody. */
  models(): Promise<Models> {
    return this.#host.call({ type: "models" });
  }

  /** Records turns of a conversation that you run yourself; facts are read out of them in the background. */
  remember(
    turns: { role: "user" | "assistant"; text: string }[],
    options: { session?: string } = {},
  ): Promise<{ session: string; turns: string[] }> {
    return this.#host.call({ type: "remember", turns, session: options.session ?? null });
  }

  /** What is known. */
  readonly facts = {
    /** All versions of all facts, newest first. */
    list: (): Promise<Fact[]> => this.#host.call({ type: "facts" }),
    /** All versions of one fact, newest first. */
    history: (id: string): Promise<Fact[]> => this.#host.call({ type: "factHistory", id }),
    /** Says that a fact no longer holds. It is kept, and can be restored. */
    markStale: (id: string, reason: string): Promise<Fact> => this.#host.call({ type: "markStale", id, reason }),
    /** Takes a stale mark back. */
    restore: (id: string): Promise<Fact> => this.#host.call({ type: "restore", id }),
    /** Replaces a fact by a new version in the person's own words. */
    correct: (id: string, statement: string): Promise<Fact> => this.#host.call({ type: "correct", id, statement }),
    /** Erases a fact with all its versions and the words it rests on: `erase({ item: "fact:…" })`. */
    forget: (id: string): Promise<EraseReceipt> => this.erase({ item: `fact:${id}` }),
  };

  /**
   * Keeps the person's word on whether a recalled record (`RecalledItem.record`) was right to come up for a query, in place of an
   * earlier one; null takes it back. It changes no recall: `evaluate` goes by it.
   */
  judge(query: string, record: string, good: boolean | null): Promise<Judgement | null> {
    return this.#host.call({ type: "judge", query, record, good });
  }

  /** What the person said of what was recalled. */
  readonly judgements = {
    /** Oldest first. */
    list: (): Promise<Judgement[]> => this.#host.call({ type: "judgements" }),
  };

  /**
   * How good recall is on this memory: asked by your questions (a list, or text with one JSON object per line), or without any by the
   * person's own judgements. It runs in the engine's thread, a few milliseconds at a time, so that a chat goes on meanwhile. Nothing
   * is written and nothing leaves the device. What can not be asked is in `problems`.
   */
  async evaluate(
    options: {
      questions?: string | readonly EvaluationQuestion[];
      onProgress?: (progress: { done: number; total: number }) => void;
      signal?: AbortSignal;
    } = {},
  ): Promise<Evaluation> {
    const { questions, onProgress, signal } = options;
    const lines = questions === undefined ? null : linesOf(questions);
    const told = onProgress && ((event: unknown) => onProgress(event as { done: number; total: number }));
    return this.#host.call({ type: "evaluate", questions: lines }, signal, told);
  }

  readonly sessions = {
    /** Newest first. */
    list: (): Promise<Session[]> => this.#host.call({ type: "sessions" }),
    /** The turns of one session, in order. */
    turns: async (session: string): Promise<Turn[]> => (await this.turns.list({ session })).turns,
    /** Erases a conversation: `erase({ session })`. */
    forget: (session: string): Promise<EraseReceipt> => this.erase({ session }),
  };

  /** Everything that was said, verbatim. */
  readonly turns = {
    /** By session, time, role or tool; page by page with `limit` and `after`. */
    list: (filter: TurnFilter = {}): Promise<TurnPage> => {
      const { session = null, from = null, until = null, role = null, tool = null, after = null, limit = null } = filter;
      return this.#host.call({ type: "turns", session, from, until, role, tool, after, limit });
    },
    /** One turn, or null if there is none of this id. */
    get: (id: string): Promise<Turn | null> => this.#host.call({ type: "turn", id }),
    /** Erases a message, the answer to it, and the facts that rest on it: `erase({ item: "turn:…" })`. */
    forget: (id: string): Promise<EraseReceipt> => this.erase({ item: `turn:${id}` }),
  };

  /** Work in the background. */
  readonly queue = {
    /** Oldest first. */
    list: (): Promise<Job[]> => this.#host.call({ type: "jobs" }),
    /** Makes every job due now, also those that were given up. */
    retry: (): Promise<void> => this.#host.call({ type: "retryJobs" }),
  };

  /**
   * All of this memory as one file: JSON lines, open in any editor (`docs/format-export.md`). The stream reads a page at a
   * time as you read from it; `new Response(memory.export()).blob()` makes a Blob. With a passphrase nothing but that opens it.
   */
  export(options: ExportOptions = {}): ReadableStream<Uint8Array> {
    return exportStream(this.#host, options, () => this.#keeper.backedUp());
  }

  /**
   * Merges a file into this memory: an export, a list of memories from ChatGPT, Claude or mem0, or a `/memories` folder as a zip file,
   * recognised by its content.
   * Nothing that is here is changed, and what could not be used is in the report. The same file twice adds nothing.
   */
  import(source: ImportSource, options: ImportOptions = {}): Promise<ImportReport> {
    return importFrom(this.#host, source, options);
  }

  /**
   * Erases for good, with everything that holds the words: versions, vectors, jobs, and what was put into other prompts.
   * Sessions whose prompt showed it end; a message to one begins a new session. A second look at all that is stored is
   * the receipt. There is no undo; {@link export} first if you may want it back.
   */
  async erase(target: EraseTarget): Promise<EraseReceipt> {
    const receipt = await this.#host.call<EraseReceipt>({ type: "erase", ...eraseWhat(target) });
    // Tabs with other memories of this database listen on channels of their own.
    if ("all" in target) this.#everyone.tell(Object.keys(receipt.erased));
    // Otherwise its witness would later tell of a loss that was none.
    await this.#keeper.settle();
    return receipt;
  }

  /** Whether what is stored will stay; `status().storage` shows it. */
  readonly storage = {
    /** Asks the browser not to remove the data when it needs room; says whether it promised. Call it from a click. */
    persist: (): Promise<boolean> => this.#keeper.persist(),
    /** Says that the person knows of the loss in `status().storage.lost`: it is not shown again. */
    acknowledgeLoss: (): Promise<void> => this.#keeper.acknowledgeLoss(),
  };

  /** Where memory is kept and whether it will stay, how the embedder is doing, and how much is stored. */
  async status(): Promise<Status> {
    const [status, keeping] = await Promise.all([this.#host.call<EngineStatus>({ type: "status" }), this.#keeper.keeping()]);
    return { ...status, storage: { ...status.storage, ...keeping } };
  }

  /**
   * Looks through everything stored: whether each record can be read, whether they fit together, and whether recall goes by what
   * is stored. Changes nothing. It reads the whole memory twice: for a button, not for every start.
   */
  check(): Promise<CheckReport> {
    return this.#host.call({ type: "check" });
  }

  /** Calls `listener` after every change; gives the way to stop. */
  subscribe(listener: (event: MemoryEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** @internal With `debug` only: panics inside the engine, to try how a page takes it. */
  crash(): Promise<never> {
    return this.#host.call({ type: "crash" });
  }

  /** Reads what was missed and looks for work that another tab left; the read itself opens the database again if it was taken away. */
  #catchUp(): void {
    void this.#host.call<{ changed: boolean }>({ type: "catchUp" }).then(
      ({ changed }) => {
        void this.#rebuild.run();
        for (const runner of this.#runners) runner.wake();
        if (!changed) return;
        for (const listener of this.#listeners) listener({ type: "changed", kinds: ["session", "turn", "fact", "job"], elsewhere: true });
      },
      () => {},
    );
  }

  /** Lets go of the database and the engine's thread. */
  close(): void {
    this.#stopWatching();
    this.#rebuild.close();
    for (const runner of this.#runners) runner.close();
    this.encryption.close();
    this.#tabs.close();
    this.#everyone.close();
    this.#keeper.close();
    this.#listeners.clear();
    this.#host.close();
  }
}

/** What the engine takes; it refuses an object that names nothing. */
function eraseWhat(target: EraseTarget): { what: string; name: string | null } {
  if ("item" in target) return { what: "item", name: target.item };
  if ("subject" in target) return { what: "subject", name: target.subject };
  if ("session" in target) return { what: "session", name: target.session };
  const whole = (["project", "all"] as const).find((what) => (target as Record<string, unknown>)[what] === true);
  return { what: whole ?? "nothing", name: null };
}

function engineOptions(options: MemoryOptions, embedder: EmbedderOption): EngineOptions {
  return {
    endpoint: endpointOf(options.endpoint),
    database: options.database ?? "onhand",
    user: options.user ?? "me",
    project: options.project ?? "default",
    grants: (options.grants ?? []).filter((grant) => grant.recall === true).map((grant) => grant.project),
    model: options.model ?? null,
    extractionModel: options.extractionModel ?? null,
    instructions: options.instructions ?? "",
    blockTokens: options.blockTokens ?? null,
    maxTokens: options.maxTokens ?? null,
    dailyLimit: options.dailyLimit ?? null,
    index: options.index ?? null,
    embedder,
    preset: options.preset ?? null,
    recall: options.recall ?? {},
    compaction: options.compaction === false ? { off: true } : (options.compaction ?? {}),
    contextEditing: options.contextEditing === false ? { off: true } : (options.contextEditing ?? {}),
    models: { off: options.models?.refresh === false },
    tableUrl: options.tableUrl ? new URL(options.tableUrl, location.href).href : null,
    debug: options.debug ?? false,
  };
}

/** An absolute URL without a trailing slash; plain http only on this machine. */
function endpointOf(endpoint: string | undefined): string {
  const invalid = (reason: string): OnhandError =>
    new OnhandError({ code: "invalid_input", message: `\`endpoint\` is not valid: ${reason}`, retryable: false });
  let url: URL;
  try {
    url = new URL(endpoint ?? location.origin, location.href);
  } catch {
    throw invalid("expected a URL, such as https://chat.example.com");
  }
  const local = ["localhost", "127.0.0.1", "[::1]"].includes(url.hostname);
  if (url.protocol !== "https:" && !(url.protocol === "http:" && local)) {
    throw invalid("what you say to Claude must travel over https");
  }
  if (url.search || url.hash) throw invalid("it must not have a query or a fragment");
  return url.href.replace(/\/+$/, "");
}
