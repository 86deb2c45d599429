// The format text/event-stream, read as it comes in pieces:
// https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation. Pure.

/** A stream that is read. lastId: of the last event, "" for none. retry: ms that the server asks for, or null. */
export class EventReader {
  constructor(lastId = "") {
    this.lastId = lastId;
    this.retry = null;
    this._line = "";
    this._endsInReturn = false; // whether a line feed that comes next belongs to the line end before
    this._clear();
    this._id = lastId;
  }

  /**
   * The events that a piece completes.
   * @param {string} text decoded, without a byte order mark; it may begin and end anywhere
   * @returns {Array<{id: string, event: string, data: string}>}
   */
  read(text) {
    const events = [];
    let rest = this._endsInReturn && text.startsWith("\n") ? text.slice(1) : text;
    if (text) this._endsInReturn = text.endsWith("\r");
    for (let end = rest.search(/[\r\n]/); end >= 0; end = rest.search(/[\r\n]/)) {
      const event = this._take(this._line + rest.slice(0, end));
      if (event) events.push(event);
      this._line = "";
      rest = rest.slice(end + (rest.startsWith("\r\n", end) ? 2 : 1));
    }
    this._line += rest;
    return events;
  }

  _take(line) {
    if (line === "") return this._dispatch();
    const colon = line.indexOf(":");
    const name = colon < 0 ? line : line.slice(0, colon);
    const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
    if (name === "event") this._event = value;
    else if (name === "data") this._data.push(value);
    else if (name === "id" && !value.includes("\0")) this._id = value;
    else if (name === "retry" && /^[0-9]+$/.test(value)) this.retry = Number(value);
    return null;
  }

  _dispatch() {
    this.lastId = this._id;
    const event = { id: this._id, event: this._event || "message", data: this._data.join("\n") };
    const isOne = this._data.length > 0;
    this._clear();
    return isOne ? event : null;
  }

  _clear() {
    this._event = "";
    this._data = [];
  }
}
