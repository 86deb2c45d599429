// What a run says in texts: its params, its tags, and a note.
import { count } from "../format.js";
import { html } from "../html.js";
import { Copy } from "../parts/clipboard.js";
import { byName, typeOf } from "./ranks.js";

const NOTE = "mlflow.note.content";
const ALL = 60; // params that are shown without being asked for

/** @param {{params: object}} props */
export function Params({ params }) {
  const names = byName(Object.keys(params));
  const rows = (some) => html`<table class="run-texts">
    <caption class="visually-hidden">The params of this run</caption>
    <thead><tr><th scope="col">Param</th><th scope="col">Value</th><th scope="col">Type</th></tr></thead>
    <tbody>
      ${some.map((name) => {
        const type = typeOf(params[name]);
        return html`<tr>
          <th scope="row"><bdi>${name}</bdi></th>
          <td class=${type === "number" ? "number" : ""}><bdi>${params[name]}</bdi></td>
          <td class="muted">${type}</td>
        </tr>`;
      })}
    </tbody>
  </table>`;
  return html`
    <section aria-labelledby="params">
      <h2 id="params">Params <span class="muted">${count(names.length)}</span></h2>
      ${names.length === 0
        ? html`<p class="muted">This run has logged no param.</p>`
        : html`${rows(names.slice(0, ALL))} <${Folded} names=${names.slice(ALL)} rows=${rows} />
            <p><${Copy} text=${JSON.stringify(params, null, 2)} what="the params" label="Copy as JSON" /></p>`}
    </section>
  `;
}

/** @param {{tags: object}} props */
export function Tags({ tags }) {
  const names = byName(Object.keys(tags)).filter((name) => name !== NOTE);
  const own = names.filter((name) => !name.startsWith("mlflow."));
  const system = names.filter((name) => name.startsWith("mlflow."));
  const rows = (some) => html`<table class="run-texts">
    <caption class="visually-hidden">Tags of this run</caption>
    <thead><tr><th scope="col">Tag</th><th scope="col">Value</th></tr></thead>
    <tbody>
      ${some.map((name) => html`<tr><th scope="row"><bdi>${name}</bdi></th><td><bdi>${tags[name]}</bdi></td></tr>`)}
    </tbody>
  </table>`;
  return html`
    ${tags[NOTE] &&
    html`<section aria-labelledby="note">
      <h2 id="note">Note</h2>
      <p class="run-note"><bdi>${tags[NOTE]}</bdi></p>
    </section>`}
    <section aria-labelledby="tags">
      <h2 id="tags">Tags <span class="muted">${count(own.length)}</span></h2>
      ${own.length === 0 ? html`<p class="muted">This run has no tag of its own.</p>` : rows(own.slice(0, ALL))}
      <${Folded} names=${own.slice(ALL)} rows=${rows} />
      ${system.length > 0 &&
      html`<details>
        <summary>${count(system.length)} set by MLflow (<code>mlflow.*</code>)</summary>
        ${rows(system)}
      </details>`}
    </section>
  `;
}

function Folded({ names, rows }) {
  if (names.length === 0) return null;
  return html`<details><summary>${count(names.length)} more</summary>${rows(names)}</details>`;
}
