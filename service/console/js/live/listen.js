// Listens to what happens to runs: by a stream of events, and by polls where no stream comes through. Streams are
// read from `fetch`, since EventSource sends no key.
import { ApiError, ask, open } from "../api.js";
import { EventReader } from "./stream.js";
import { LIMITS, pollAfter, waitAfter } from "./timing.js";

const PATH = "events";
const FAILURES = 3; // of streams one after the other, after which polls are tried
const FINAL = [401, 403, 404, 405, 406, 422]; // what asking again does not change

/**
 * Listen until told to stop. A tab that is hidden listens to nothing; one that is shown again goes on where it was.
 * @param {{
 *   filter: string, experimentIds: string[], since?: string,
 *   onEvent: (event: {event: string, data: object, id: string}) => void, onState: (state: State) => void,
 *   limits?: object, draw?: () => number,
 * }} options since: the id of the last event that is known. onEvent is told each event of the API's /events
 *   but `unavailable`. onState, of each change: {name, detail, by, retryAt, staleSince}. name: connecting, live,
 *   waiting (for the next try, at retryAt, because of detail), hidden, old (the replica has no events) or refused
 *   (because of detail). by: stream or poll. staleSince: ms since when MLflow gives nothing new, or null.
 * @returns {() => void} stop
 */
export function listen(options) {
  const listener = new Listener({ since: "", limits: LIMITS, draw: Math.random, ...options });
  listener.run();
  return () => listener.stop();
}

class Listener {
  constructor({ filter, experimentIds, since, onEvent, onState, limits, draw }) {
    Object.assign(this, { onEvent, onState, limits, draw, lastId: since });
    this.query = { filter, experiment_id: experimentIds.join(",") };
    this.state = { name: "connecting", detail: "", by: "stream", retryAt: null, staleSince: null };
    this.failures = 0; // one after the other
    this.empty = 0; // polls one after the other that brought nothing
    this.isStopped = false;
    this.attempt = null; // the AbortController of what is asked now
    this.wake = null; // ends the wait
    this.look = () => this._look();
    document.addEventListener("visibilitychange", this.look);
    addEventListener("online", this.look);
  }

  async run() {
    while (!this.isStopped) {
      if (document.hidden) {
        this._tell({ name: "hidden", retryAt: null });
        await this._sleep(Infinity);
        continue;
      }
      this._tell({ name: this.state.name === "hidden" ? "connecting" : this.state.name, retryAt: null });
      this.attempt = new AbortController();
      const wait = await this._try();
      this.attempt = null;
      if (wait === null) return;
      if (!document.hidden && !this.isStopped) await this._sleep(wait);
    }
  }

  stop() {
    this.isStopped = true;
    document.removeEventListener("visibilitychange", this.look);
    removeEventListener("online", this.look);
    this.attempt?.abort();
    this.wake?.();
  }

  /** Listen once. The ms to wait before listening again; null where that is of no use. */
  async _try() {
    try {
      return await (this.state.by === "stream" ? this._stream() : this._poll());
    } catch (error) {
      if (this.isStopped || document.hidden || error.name === "AbortError") return 0;
      const failure = error.name === "ApiError" ? error : new ApiError({ code: "offline", detail: "The connection was lost." });
      return this._fail(failure);
    }
  }

  async _stream() {
    const { signal } = this.attempt;
    const reader = new EventReader(this.lastId);
    const watch = new Watch(this.limits.silence, () => this._silent());
    this.hasCome = false;
    try {
      const headers = this.lastId ? { "Last-Event-ID": this.lastId } : {};
      const response = await open(PATH, { query: this.query, accept: "text/event-stream", headers, signal });
      if (!response.headers.get("Content-Type")?.startsWith("text/event-stream")) return this._pollInstead();
      const pieces = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (let piece = await pieces.read(); !piece.done; piece = await pieces.read()) {
        watch.feed(this.limits.quiet);
        this._came();
        for (const event of reader.read(piece.value)) this._take(event.event, JSON.parse(event.data), event.id);
        this.lastId = reader.lastId;
      }
    } finally {
      watch.end();
    }
    const { refusal } = this;
    this.refusal = null;
    if (refusal?.code === "overloaded") return this._pollInstead();
    if (refusal) return this._fail(new ApiError({ ...refusal, requestId: refusal.request_id, retryAfter: (reader.retry ?? 0) / 1000 }));
    if (!this.hasCome) return this._fail(new ApiError({ code: "offline", detail: "The stream ended before it began." }));
    this.failures = 0;
    return reader.retry ?? this.limits.first;
  }

  async _poll() {
    const { data } = await ask(PATH, { query: { ...this.query, since: this.lastId }, signal: this.attempt.signal });
    this._came();
    this.failures = 0;
    for (const { event, data: content, id } of data.events) this._take(event, content, id);
    this.lastId = data.next;
    this.empty = data.events.length ? 0 : this.empty + 1;
    return pollAfter(this.empty, this);
  }

  _came() {
    this.hasCome = true;
    if (this.state.name !== "live" && !this.isStopped) this._tell({ name: "live", detail: "" });
  }

  _take(event, data, id) {
    if (this.isStopped) return;
    if (event === "unavailable") {
      this.refusal = data;
      return;
    }
    this.failures = 0;
    if (event === "stale") this._tell({ staleSince: data.since_ms ?? Date.now() });
    else if (event === "fresh" || event === "snapshot" || event === "reset") this._tell({ staleSince: null });
    this.onEvent({ event, data, id });
  }

  // A stream says nothing: one that never has is held back on its way, another one is dead.
  _silent() {
    if (!this.hasCome) this._tell({ by: "poll" });
    this.attempt?.abort();
  }

  _pollInstead() {
    this._tell({ by: "poll" });
    return 0;
  }

  _fail(error) {
    if (error.status === 422 && this.state.by === "poll" && this.lastId) return this._beginAnew();
    if (FINAL.includes(error.status)) {
      const isOfFilter = error.errors?.some(({ location }) => location === "query.filter"); // the filter bar says it
      this._tell({ name: error.status === 404 ? "old" : "refused", detail: isOfFilter ? "" : error.detail, retryAt: null });
      return null;
    }
    this.failures += 1;
    if (this.failures >= FAILURES && error.status !== 0) this._tell({ by: "poll" });
    const wait = waitAfter(this.failures, { ...this, retryAfter: error.retryAfter });
    this._tell({ name: "waiting", detail: error.detail, retryAt: Date.now() + wait });
    return wait;
  }

  // The position is of no use to the replica that was asked.
  _beginAnew() {
    this.lastId = "";
    this.onEvent({ event: "reset", data: { reason: "The last event is not known any more." }, id: "" });
    return 0;
  }

  _look() {
    if (document.hidden) this.attempt?.abort();
    this.wake?.();
  }

  _sleep(ms) {
    return new Promise((resolve) => {
      const timer = ms === Infinity ? null : setTimeout(resolve, ms);
      this.wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  _tell(changes) {
    const next = { ...this.state, ...changes };
    const isSame = Object.keys(next).every((name) => next[name] === this.state[name]);
    this.state = next;
    if (!isSame && !this.isStopped) this.onState(next);
  }
}

/** Calls once that many ms after it was fed last. */
class Watch {
  constructor(ms, call) {
    this.call = call;
    this.feed(ms);
  }

  feed(ms) {
    clearTimeout(this.timer);
    this.timer = setTimeout(this.call, ms);
  }

  end() {
    clearTimeout(this.timer);
  }
}
