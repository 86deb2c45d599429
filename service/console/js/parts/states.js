// What stands in place of data, or above data that are not as they should be.
import { useEffect, useState } from "preact/hooks";
import { MISSING, ago, count, time, zone } from "../format.js";
import { html } from "../html.js";
import { preferences } from "../preferences.js";
import { Copy } from "./clipboard.js";

/**
 * A resource's data as its page draws them, or what stands in their place.
 * @param {{resource: object, rows?: number, children: (data: any) => any}} props
 *   rows: of the skeleton, so that nothing moves when the data come.
 */
export function Shown({ resource, rows = 6, children }) {
  const { data, meta, error, isWaiting, reload } = resource;
  if (data === undefined) {
    if (error) return html`<${Failure} error=${error} retry=${reload} />`;
    return html`<${Skeleton} rows=${rows} isVisible=${isWaiting} />`;
  }
  return html`
    <${Freshness} meta=${meta} error=${error} retry=${reload} />
    ${children(data)}
  `;
}

/** A failure, in the service's words, with what an operator needs. @param {{error: ApiError, retry?: () => void}} props */
export function Failure({ error, retry }) {
  const [left, setLeft] = useState(error.retryAfter ?? 0);
  useEffect(() => {
    setLeft(error.retryAfter ?? 0);
    const timer = setInterval(() => setLeft((old) => Math.max(0, old - 1)), 1000);
    return () => clearInterval(timer);
  }, [error]);
  return html`
    <section class="failure" role="alert">
      <h2>${TITLES[error.code] ?? "This cannot be shown"}</h2>
      <p>${error.detail}</p>
      ${error.errors.length > 0 &&
      html`<ul>
        ${error.errors.map((one) => html`<li><code>${one.location}</code>: ${one.message}</li>`)}
      </ul>`}
      <p>
        ${retry &&
        html`<button type="button" onClick=${retry} disabled=${left > 0}>
          ${left > 0 ? `Retry in ${left} s` : "Retry"}
        </button>`}
        ${error.requestId && html`${" "}<${RequestId} id=${error.requestId} />`}
      </p>
    </section>
  `;
}

const TITLES = {
  offline: "The service is not reached",
  upstream_unavailable: "MLflow does not answer",
  upstream_timeout: "MLflow does not answer in time",
  upstream_error: "MLflow fails",
  index_not_ready: "The runs are still being read",
  run_not_found: "There is no such run",
  lineage_not_found: "Nothing is known of this",
  unauthenticated: "The service needs a key",
  forbidden: "You may not see this",
};

/** The id of a request, to be told to an operator. @param {{id: string}} props */
export function RequestId({ id }) {
  return html`<span class="request-id">
    Request <code>${id}</code>${" "}
    <${Copy} text=${id} what="the request id" />
  </span>`;
}

/** One line where data are older than they should be; nothing where they are not. */
export function Freshness({ meta, error, retry }) {
  if (!error && !meta?.isStale) return null;
  const since = meta ? meta.receivedAt - meta.age * 1000 : null;
  const why = error?.detail ?? "MLflow has given nothing newer";
  return html`<p class="stale" role="status">
    ${why.replace(/\.$/, "")}; these data are of <${Time} ms=${since} />.
    ${retry && html`${" "}<button type="button" class="quiet" onClick=${retry}>Ask again</button>`}
  </p>`;
}

/** The place of rows that are waited for. */
export function Skeleton({ rows, isVisible }) {
  return html`<div class="skeleton" role="status" aria-busy="true" aria-label="Loading" data-visible=${isVisible}>
    ${Array.from({ length: rows }, () => html`<div class="skeleton-row"></div>`)}
  </div>`;
}

/** A time, with what it is in full, and how long ago where that is less than a day. */
export function Time({ ms }) {
  const { isUtc } = preferences.value;
  if (ms === null || ms === undefined) return html`<span>${MISSING}</span>`;
  const at = new Date(ms);
  if (Number.isNaN(at.getTime())) return html`<span>${count(ms)}</span>`;
  const past = ago(ms, Date.now());
  return html`<time datetime=${at.toISOString()} title=${`${time(ms, isUtc)} ${zone(isUtc, ms)}`}>
    ${time(ms, isUtc)}${past && html` <span class="ago">(${past})</span>`}
  </time>`;
}

/** The status of a run. */
export function Status({ status }) {
  return html`<span class="status" data-status=${status}>${STATUSES[status] ?? status}</span>`;
}

const STATUSES = {
  RUNNING: "running",
  SCHEDULED: "scheduled",
  FINISHED: "finished",
  FAILED: "failed",
  KILLED: "killed",
};
