// What every page has: the head with the way to other pages, the question for a key, the list of shortcuts.
import { useRef } from "preact/hooks";
import { key, refused, useKey } from "./api.js";
import { html } from "./html.js";
import { shortcuts, useKeys } from "./keys.js";
import { componentOf, later } from "./later.js";
import { prefer, preferences } from "./preferences.js";

const KeyForm = componentOf(later(() => import("./parts/key.js")), "KeyForm");

const PAGES = [
  ["runs", "Runs"],
  ["strategy", "Strategies"],
  ["lineage", "Lineage"],
  ["health", "Health"],
];

/** The head of the page, and the page in it. @param {{page: string, children: any}} props */
export function Shell({ page, children }) {
  return html`
    <a class="skip" href="#main">Skip to the content</a>
    <header class="head">
      <nav aria-label="Pages">
        ${PAGES.map(
          ([name, title]) =>
            html`<a href=${name} aria-current=${page === name ? "page" : undefined}>${title}</a>`,
        )}
      </nav>
      <${Choices} />
    </header>
    <main id="main" tabindex="-1">${refused.value ? html`<${KeyForm} error=${refused.value} />` : children}</main>
  `;
}

function Choices() {
  const { theme, isUtc, colours, shortcuts: areOn } = preferences.value;
  const dialog = useRef(null);
  useKeys([{ key: "?", text: "List the shortcuts", run: () => dialog.current.showModal() }], []);
  return html`
    <details class="choices">
      <summary>Settings</summary>
      <div class="menu">
        <label>
          Theme${" "}
          <select value=${theme} onChange=${(event) => prefer({ theme: event.target.value })}>
            <option value="system">as the system</option>
            <option value="light">light</option>
            <option value="dark">dark</option>
          </select>
        </label>
        <label>
          Better and worse${" "}
          <select value=${colours} onChange=${(event) => prefer({ colours: event.target.value })}>
            <option value="blue-orange">blue and orange</option>
            <option value="green-red">green and red</option>
          </select>
        </label>
        <label>
          <input type="checkbox" checked=${isUtc} onChange=${(event) => prefer({ isUtc: event.target.checked })} />
          Times in UTC
        </label>
        <label>
          <input type="checkbox" checked=${areOn} onChange=${(event) => prefer({ shortcuts: event.target.checked })} />
          Shortcuts of single keys
        </label>
        <button type="button" onClick=${() => dialog.current.showModal()}>List the shortcuts</button>
        ${key.value && html`<button type="button" onClick=${() => useKey("", false)}>Forget the key</button>`}
      </div>
    </details>
    <dialog ref=${dialog} class="shortcuts" aria-label="Shortcuts">
      <h2>Shortcuts</h2>
      <dl>
        ${shortcuts.value.map(({ key: name, text }) => html`<dt><kbd>${name}</kbd></dt><dd>${text}</dd>`)}
      </dl>
      <form method="dialog"><button>Close</button></form>
    </dialog>
  `;
}
