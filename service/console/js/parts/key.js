// The question for a key: where the service wants one, does not know the one it got, or does not let it read runs.
import { useEffect, useRef, useState } from "preact/hooks";
import { key, useKey } from "../api.js";
import { html } from "../html.js";
import { RequestId } from "./states.js";

/** What a header can carry of a key (RFC 9110, 5.5): characters that are seen, and of these only Latin ones. */
const CHARACTER = /[\x21-\x7e\xa1-\xff]/;
const SEPARATORS = /[\s\u200b-\u200d\ufeff]/;

/**
 * What makes a text no key, for whoever has put it in; "" where it may be one. Pure.
 * @param {string} text
 */
export function faultOf(text) {
  const characters = [...text];
  const place = characters.findIndex((one) => !CHARACTER.test(one));
  if (place < 0) return "";
  const one = characters[place];
  const shown = SEPARATORS.test(one) || one.codePointAt(0) < 0x20 ? "a space or a line break" : `“${one}”`;
  return `Its character ${place + 1} is ${shown}, which no key has. Was it copied whole, and nothing beside it?`;
}

/**
 * Whom a key names, as far as it can be read here; "" where it cannot. Nothing of it is checked. Pure.
 * @param {string} text
 */
export function nameIn(text) {
  const parts = text.split(".");
  if (parts.length !== 3) return "";
  try {
    const bytes = Uint8Array.from(atob(parts[1].replaceAll("-", "+").replaceAll("_", "/")), (one) => one.charCodeAt(0));
    const claims = JSON.parse(new TextDecoder().decode(bytes));
    const name = claims.preferred_username ?? claims.email ?? claims.sub;
    return typeof name === "string" ? name : "";
  } catch {
    return "";
  }
}

/** @param {{error: ApiError}} props error: why the service has refused a request */
export function KeyForm({ error }) {
  const [text, setText] = useState("");
  const [isKept, setKept] = useState(false);
  const [fault, setFault] = useState("");
  const field = useRef(null);
  useEffect(() => field.current.focus(), []);
  const submit = (event) => {
    event.preventDefault();
    const written = text.trim();
    const wrong = written === "" ? "A key is needed." : faultOf(written);
    setFault(wrong);
    if (wrong) field.current.focus();
    else useKey(written, isKept);
  };
  return html`
    <form class="key-form" onSubmit=${submit}>
      <h1>${titleOf(error)}</h1>
      <p>${error.detail}</p>
      ${error.status === 403 && html`<${Who} />`}
      <p>
        <label for="key">API key or token</label>${" "}
        <input
          id="key"
          ref=${field}
          type="password"
          autocomplete="off"
          value=${text}
          aria-invalid=${fault !== ""}
          aria-describedby="key-fault"
          onInput=${(event) => (setText(event.target.value), setFault(""))}
        />
      </p>
      <p id="key-fault" class="wrong" role="alert">${fault}</p>
      <p>
        <label>
          <input type="checkbox" checked=${isKept} onChange=${(event) => setKept(event.target.checked)} />
          ${" "}Keep it until this tab is closed; otherwise it is gone when the page is loaded again
        </label>
      </p>
      <p>
        <button class="primary">Use the key</button>${" "}
        ${key.value && html`<button type="button" onClick=${() => useKey("", false)}>Forget the one before</button>${" "}`}
        ${error.requestId && html`<${RequestId} id=${error.requestId} />`}
      </p>
    </form>
  `;
}

function titleOf({ status }) {
  if (status === 403) return "This key may not read runs";
  return key.value ? "The service does not take this key" : "The service needs a key";
}

function Who() {
  const name = nameIn(key.value);
  if (!key.value) return html`<p>No key was sent: who you are was said by something between this page and the service.</p>`;
  return html`<p>
    ${name ? html`You are <strong><bdi>${name}</bdi></strong>, as your token says.` : "Your key does not say here whose it is."}
    ${" "}Ask an operator for access to runs, and tell the request below.
  </p>`;
}
