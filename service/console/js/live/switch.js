// The switch of live updates, and what they are doing (WCAG 2.2.2: what moves by itself can be paused).
import { useEffect, useState } from "preact/hooks";
import { time, zone } from "../format.js";
import { html } from "../html.js";
import { preferences } from "../preferences.js";

/** The version of the service from which on it tells of changes. */
const NEEDED = "0.1.0";

/**
 * @param {{state: object, isOn: boolean, onChange: (changes: {live: boolean}) => void}} props state: of `useLive`
 */
export function LiveSwitch({ state, isOn, onChange }) {
  if (state.name === "old") {
    return html`<p class="live muted">No live updates: they need version ${NEEDED} of the service, and this replica is older.</p>`;
  }
  return html`
    <div class="live" data-state=${isOn ? state.name : "paused"}>
      <button type="button" role="switch" aria-checked=${isOn} onClick=${() => onChange({ live: !isOn })}>Live</button>
      <span role="status"><${Doing} state=${state} isOn=${isOn} /></span>
    </div>
  `;
}

function Doing({ state: { name, detail, by, retryAt, staleSince }, isOn }) {
  const left = useSecondsTo(retryAt);
  if (!isOn) return "paused";
  if (name === "refused" && !detail) return "";
  if (name === "refused") return html`<span class="wrong">no live updates: ${detail}</span>`;
  if (name === "waiting") {
    // Read out once, and not each second.
    return html`<span class="wrong">${detail} Reconnecting<span aria-hidden="true">${left > 0 ? ` in ${left} s` : "…"}</span></span>`;
  }
  if (name !== "live") return name === "hidden" ? "" : "connecting…";
  if (staleSince !== null) {
    const { isUtc } = preferences.value;
    return html`<span class="warned">MLflow does not answer since ${time(staleSince, isUtc)} ${zone(isUtc, staleSince)}</span>`;
  }
  return by === "poll" ? "asked every few seconds" : "";
}

/** Whole seconds until a time, counted down; 0 where there is none. */
function useSecondsTo(at) {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    if (at === null) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, [at]);
  return at === null ? 0 : Math.max(0, Math.ceil((at - now) / 1000));
}
