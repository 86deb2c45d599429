// The page "Lineage": which runs made something, the session that they belong to, and what all of it was made of.
import { useEffect, useState } from "preact/hooks";
import { ask } from "../api.js";
import { html } from "../html.js";
import { Completeness, Contradictions } from "../lineage/findings.js";
import { Graph } from "../lineage/graph.js";
import { lineageHref, refOf } from "../lineage/guess.js";
import { Makers, Session } from "../lineage/session.js";
import { OUTCOMES } from "../lineage/words.js";
import { Failure, Shown } from "../parts/states.js";
import { useResource } from "../resource.js";
import { useTitle } from "../title.js";
import { list, viewOf } from "../url.js";

export const styles = ["css/lineage.css", "css/strategy.css", "css/plot.css"];

const view = viewOf([
  { name: "ref", initial: "" },
  { name: "exp", initial: [], ...list },
]);
const EXAMPLES = [
  ["the id of a run", "4f2a9c0d7b1e4a6f8c3d5e7f9a0b1c2d"],
  ["a model in the registry", "models:/forecast@champion, models:/forecast/3"],
  ["a logged model", "models:/m-<id>"],
  ["a file or a folder of artifacts", "s3://bucket/1/<run id>/artifacts/model, runs:/<run id>/model, dbfs:/…"],
  ["a commit", "git:3f9a1c2, or the commit alone"],
  ["a dataset, by its version or its digest", "dataset:prices-2026.02"],
  ["what tags name", "feature:v3, model:v1, signal:v2"],
];

/** @param {{params: URLSearchParams}} props */
export function Page({ params }) {
  useTitle("Lineage");
  const { ref, exp } = view.read(params);
  return html`
    <h1>Lineage</h1>
    <${Field} text=${ref} />
    ${ref ? html`<${Asked} key=${`${ref} ${exp}`} text=${ref} exp=${exp} />` : html`<${Introduction} />`}
  `;
}

function Field({ text }) {
  const [typed, setTyped] = useState(text);
  useEffect(() => setTyped(text), [text]);
  const submit = (event) => {
    event.preventDefault();
    view.change({ ref: typed.trim() });
  };
  return html`<form class="bar" role="search" onSubmit=${submit}>
    <label class="ref-field">
      A run, a model, a file, a commit or a dataset${" "}
      <input type="search" value=${typed} maxlength="2048" spellcheck=${false} autocomplete="off" onInput=${(event) => setTyped(event.target.value)} />
    </label>
    <button>Find</button>
  </form>`;
}

function Introduction() {
  return html`<section class="nothing">
    <p>Paste anything that a run made or was made from. The page says which runs made it, what they were made of, what is missing, and what cannot all be true.</p>
    <dl>${EXAMPLES.map(([what, how]) => html`<dt>${what}</dt><dd><code>${how}</code></dd>`)}</dl>
  </section>`;
}

function Asked({ text, exp }) {
  const { ref, guess, others } = refOf(text);
  const lineage = useResource(
    (signal, fresh) => ask("lineage", { query: { ref, experiment_id: exp.join() }, signal, fresh }),
    [ref, exp.join()],
  );
  const isUnknown = lineage.error?.code === "lineage_not_found";
  return html`
    ${guess && html`<p class="guess">Read as <code><bdi>${ref}</bdi></code>, ${guess}. <${Others} others=${others} exp=${exp} /></p>`}
    ${isUnknown
      ? html`<${Unknown} error=${lineage.error} others=${others} exp=${exp} />`
      : html`<${Shown} resource=${lineage} rows=${14}>${(data) => html`<${Found} lineage=${data} exp=${exp} />`}<//>`}
  `;
}

function Others({ others, exp }) {
  if (!others.length) return null;
  return html`Or:${" "}${others.map((one, index) => html`${index > 0 && ", "}<a href=${lineageHref(one, exp)}><code><bdi>${one}</bdi></code></a>`)}.`;
}

function Unknown({ error, others, exp }) {
  const { ref, tried = [] } = error.problem;
  return html`
    <${Failure} error=${{ ...error, code: error.code, detail: `Nothing is known to have made ${ref}. That does not mean that nothing did: neither MLflow's records nor tags lead to a run.` }} />
    <h2>What was tried</h2>
    <ul>${tried.map((one) => html`<li><bdi>${one.what}</bdi>: ${OUTCOMES[one.outcome] ?? one.outcome}</li>`)}</ul>
    ${others.length > 0 && html`<p><${Others} others=${others} exp=${exp} /></p>`}
  `;
}

function Found({ lineage, exp }) {
  const { contradictions, warnings, model_version: version, logged_model: model, tried } = lineage;
  return html`
    <${Contradictions} contradictions=${contradictions} />
    ${version && html`<${Version} version=${version} />`}
    ${warnings.map((one) => html`<p class="warning">${one.text}</p>`)}
    ${model && html`<p>Logged model <bdi>${model.name || model.model_id}</bdi>, <code>${model.model_id}</code>, at <code><bdi>${model.artifact_uri}</bdi></code>.</p>`}
    <${Completeness} lineage=${lineage} />
    <${Makers} lineage=${lineage} exp=${exp} />
    <${Graph} lineage=${lineage} exp=${exp} />
    <${Session} session=${lineage.session} exp=${exp} />
    <details>
      <summary>How the runs were found</summary>
      <ul>${tried.map((one) => html`<li><bdi>${one.what}</bdi>: ${OUTCOMES[one.outcome] ?? one.outcome}</li>`)}</ul>
    </details>
  `;
}

function Version({ version: { name, version, aliases, status, source } }) {
  return html`<p>
    Version ${version} of the registered model <strong><bdi>${name}</bdi></strong>${aliases.length > 0 && html`, also <bdi>${aliases.map((one) => `@${one}`).join(", ")}</bdi>`},
    ${" "}${status.toLowerCase()}, from <code><bdi>${source}</bdi></code>.
  </p>`;
}
