// The page "Health": what MLflow and the index are doing, and what to tell whoever runs the service.
import { useState } from "preact/hooks";
import { addressOf, ask, requests } from "../api.js";
import { count } from "../format.js";
import { parts, report, summary } from "../health/words.js";
import { html } from "../html.js";
import { copyText } from "../parts/clipboard.js";
import { Shown, Time } from "../parts/states.js";
import { useResource } from "../resource.js";
import { useTitle } from "../title.js";

export const styles = ["css/health.css"];

const REPORTED = 20; // requests in a text for the operator
const VERSION = document.querySelector('meta[name="service-version"]')?.content ?? "";

/** @param {{params: URLSearchParams}} props */
export function Page() {
  useTitle("Health");
  const resource = useResource(load, []);
  const { data, error, reload } = resource;
  return html`
    <h1>Health</h1>
    <${Shown} resource=${resource} rows=${8}>
      ${({ readiness, index, refusal, at }) => html`
        <p role="status">
          <strong>${summary(parts(readiness))}</strong>${" "}
          <span class="muted">Looked at <${Time} ms=${at} /></span>
        </p>
        <${Parts} readiness=${readiness} />
        <${Index} index=${index} refusal=${refusal} />
      `}
    <//>
    <p class="health-actions">
      <button type="button" onClick=${reload}>Look again</button>${" "}
      <${Copy} facts=${{ ...data, error: error ?? data?.refusal ?? null }} />
    </p>
    <${Requests} />
  `;
}

async function load(signal) {
  const [readiness, search] = await Promise.all([readinessOf(signal), indexOf(signal)]);
  return { data: { readiness, ...search, at: Date.now() }, meta: null };
}

async function readinessOf(signal) {
  try {
    return (await ask("../../../readyz", { signal })).data;
  } catch (error) {
    if (error.problem?.status === "draining") return error.problem; // which is said with a 503
    throw error;
  }
}

// A search that fails is one of the things that this page is for, so it does not take the rest away.
async function indexOf(signal) {
  try {
    const { data } = await ask("runs/search", { query: { page_size: 1, fields: "attributes.run_id" }, signal });
    return { index: data.index, refusal: null };
  } catch (error) {
    if (error.name !== "ApiError" || error.code === "offline") throw error;
    return { index: null, refusal: error };
  }
}

function Parts({ readiness }) {
  return html`<table class="health-parts">
    <caption class="visually-hidden">The parts of the service and how they are</caption>
    <thead><tr><th scope="col">Part</th><th scope="col">State</th><th scope="col">What it means</th></tr></thead>
    <tbody>
      ${parts(readiness).map(
        ({ name, state, level, sentence }) => html`<tr>
          <th scope="row">${name}</th>
          <td><span class="health-state" data-level=${level}>${state}</span></td>
          <td>${sentence}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

function Index({ index, refusal }) {
  return html`
    <h2>Runs in the index</h2>
    ${refusal &&
    html`<p class="stale">
      A search is refused: ${refusal.detail}${" "}
      ${refusal.requestId && html`Request <code>${refusal.requestId}</code>`}
    </p>`}
    ${index &&
    html`<dl>
      <dt>Runs</dt>
      <dd>${count(index.runs)}${!index.complete && `, ${count(index.share_read * 100)}\u00a0% of all`}</dd>
      <dt>New and running ones looked for</dt>
      <dd><${Time} ms=${index.synced_ms} /></dd>
      <dt>All of them looked at since</dt>
      <dd><${Time} ms=${index.swept_ms} /></dd>
      <dt>Version of the service</dt>
      <dd>${VERSION}</dd>
    </dl>`}
  `;
}

function Copy({ facts }) {
  const [said, setSaid] = useState("");
  const copy = async () => {
    const text = report({
      address: addressOf("../../../").href,
      version: VERSION,
      now: Date.now(),
      readiness: facts.readiness ?? null,
      index: facts.index ?? null,
      error: facts.error,
      requests: requests.value.slice(0, REPORTED).map((one) => ({ ...one, path: addressOf(one.path).pathname })),
    });
    try {
      await copyText(text);
      setSaid("Copied; it has no key and no data of runs.");
    } catch (error) {
      setSaid(`${error.message} Copy the table of requests by hand.`);
    }
  };
  return html`<button type="button" onClick=${copy}>Copy for the operator</button>${" "}<span role="status">${said}</span>`;
}

function Requests() {
  return html`
    <h2>The last requests of this tab</h2>
    <div class="scroll" tabindex="0" role="region" aria-label="The last requests of this tab">
      <table>
        <thead>
          <tr>
            <th scope="col">Time</th>
            <th scope="col">Request</th>
            <th scope="col">Status</th>
            <th scope="col" class="number">Duration</th>
            <th scope="col">Request id</th>
          </tr>
        </thead>
        <tbody>
          ${requests.value.map(
            (one) => html`<tr>
              <td><${Time} ms=${one.at} /></td>
              <td><code>${one.method} ${addressOf(one.path).pathname}</code></td>
              <td class=${one.status >= 400 || !one.status ? "worse" : ""}>${one.status || "no answer"}</td>
              <td class="number">${count(one.ms)}${"\u00a0"}ms</td>
              <td>${one.requestId ? html`<code>${one.requestId}</code>` : "\u2013"}</td>
            </tr>`,
          )}
        </tbody>
      </table>
    </div>
  `;
}
