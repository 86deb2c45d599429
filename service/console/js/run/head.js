// The head of a run's page: what it is, how it goes, and where it is to be found elsewhere.
import { useEffect, useState } from "preact/hooks";
import { addressOf } from "../api.js";
import { duration } from "../format.js";
import { html } from "../html.js";
import { Status, Time } from "../parts/states.js";
import { Copy } from "../parts/clipboard.js";
import { bestOf } from "./ranks.js";
import { isActive, peerFilter } from "./reading.js";

/**
 * @param {{run: object, experiment: string|undefined, isDeleted: boolean, peers: object|undefined, base: string}} props
 *   peers: the data of `usePeers`. base: the run that this one is compared with, or "".
 */
export function Head({ run, experiment, isDeleted, peers, base }) {
  const { run_id: id, run_name: name, status, start_time: start, tags } = run;
  const page = document.querySelector('meta[name="mlflow-url"]')?.content;
  const mlflow = page && experiment !== undefined ? `${page.replace(/\/$/, "")}/#/experiments/${experiment}/runs/${id}` : "";
  return html`
    <h1 class="run-name"><bdi>${name || id}</bdi></h1>
    ${isDeleted && html`<p class="stale">This run has been deleted in MLflow, and can be restored there.</p>`}
    <dl class="run-facts">
      <div><dt>Run</dt><dd><code>${id}</code> <${Copy} text=${id} what="the run's id" /></dd></div>
      <div><dt>Status</dt><dd><${Status} status=${status} /></dd></div>
      <div><dt>Started</dt><dd><${Time} ms=${start} /></dd></div>
      <div><dt>${isActive(run) ? "Runs for" : "Took"}</dt><dd><${Took} run=${run} /></dd></div>
      ${tags["mlflow.user"] && html`<div><dt>User</dt><dd><bdi>${tags["mlflow.user"]}</bdi></dd></div>`}
      ${tags.run_type && html`<div><dt>Type</dt><dd><bdi>${tags.run_type}</bdi></dd></div>`}
      ${tags.strategy_id &&
      html`<div>
        <dt>Strategy</dt>
        <dd><a href=${`strategy?id=${encodeURIComponent(tags.strategy_id)}`}><bdi>${tags.strategy_id}</bdi></a></dd>
      </div>`}
    </dl>
    <ul class="run-links" aria-label="This run elsewhere">
      ${compared(id, peers, base).map(([href, text]) => html`<li><a href=${href}>${text}</a></li>`)}
      ${tags.strategy_id &&
      html`<li><a href=${listOf(peerFilter(tags), experiment)}>Runs of its strategy${tags.run_type && " and type"}</a></li>`}
      ${mlflow && html`<li><a href=${mlflow}>MLflow's page</a></li>`}
      <li><a href=${addressOf(`runs/${encodeURIComponent(id)}`).href}>JSON</a></li>
    </ul>
  `;
}

// Comparisons that people ask for: with the baseline, and with the best run by a metric that matters.
function compared(id, peers, base) {
  const links = [];
  if (base && base !== id) links.push([comparison(id, base), "Compare with the baseline"]);
  const key = headline([...(peers?.values.keys() ?? [])], peers?.directions);
  if (key === undefined) return links;
  const best = peers.ids[bestOf(peers.values.get(key), peers.directions.get(key).direction)];
  if (best !== undefined && best !== id) links.push([comparison(id, best), `Compare with the best by ${key}`]);
  return links;
}

/** The address of a comparison with another run, which is the baseline. */
export function comparison(id, other) {
  return `compare?ids=${encodeURIComponent(other)},${encodeURIComponent(id)}&base=${encodeURIComponent(other)}`;
}

// The metric that people look at first: a Sharpe ratio, out of sample where there is one.
function headline(keys, directions) {
  const ranked = keys.filter((key) => (directions.get(key)?.direction ?? "none") !== "none" && directions.get(key).rule);
  const sharpe = ranked.filter((key) => /sharpe/i.test(key));
  return sharpe.find((key) => /oos|test|out/i.test(key)) ?? sharpe[0] ?? ranked[0];
}

function listOf(filter, experiment) {
  return `runs?q=${encodeURIComponent(filter)}${experiment === undefined ? "" : `&exp=${encodeURIComponent(experiment)}`}`;
}

/** How long a run took, or has been running. @param {{run: object}} props */
function Took({ run }) {
  const { start_time: start, end_time: end } = run;
  const [now, setNow] = useState(Date.now());
  const isTicking = end === null && isActive(run);
  useEffect(() => {
    if (!isTicking) return undefined;
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [isTicking]);
  if (start === null || (end === null && !isTicking)) return duration(null);
  return duration((end ?? now) - start);
}
