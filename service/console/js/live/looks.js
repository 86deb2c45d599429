// When a page looks again at runs that are active: whenever the service tells of a change, or else every few seconds.
import { useEffect, useRef, useState } from "preact/hooks";
import { useLive } from "./use.js";

const EVERY = 4000; // ms between two looks, but for a run that ends, which is looked at at once
const AFTER_FAILURE = 30_000; // ms: the same where the last look has failed
const LONGEST = 4000; // characters of a filter, which may have 4,096 bytes

/**
 * @typedef {{number: number, ids: string[]}} Look number: grows with each look, from 0. ids: of the runs that have
 *   changed as the service says, so that what it remembers of them is too old; none where nobody knows
 */

/**
 * @param {{ids: string[], experimentIds: string[], isOn: boolean, hasFailed: boolean}} options
 *   ids: of the active runs. experimentIds: of those runs, none where they are not known. isOn: whether to look.
 *   hasFailed: the last look
 * @returns {Look}
 */
export function useLooks({ ids, experimentIds, isOn, hasFailed }) {
  const [look, setLook] = useState({ number: 0, ids: [] });
  const next = (some) => setLook((old) => ({ number: old.number + 1, ids: some }));
  const hear = useGathered(next);
  const filter = `run_id IN (${ids.map(quoted).join(", ")})`;
  const isListening = isOn && ids.length > 0 && experimentIds.length > 0 && filter.length <= LONGEST;
  const onEvent = ({ event, data }) => {
    if (event.startsWith("run.")) hear([data.run?.run_id ?? data.run_id], event !== "run.updated");
    else if (event === "snapshot" || event === "reset") hear(ids, true);
    else if (event === "fresh") hear([], true);
  };
  const live = useLive({ filter, experimentIds, isOn: isListening, onEvent });
  useTimer(() => next([]), isOn && (!isListening || hasFailed || isBehind(live)), hasFailed ? AFTER_FAILURE : EVERY);
  return look;
}

// Whether the service tells nothing for now: there are no events, or MLflow does not answer it.
function isBehind({ name, staleSince }) {
  return name === "waiting" || name === "old" || name === "refused" || staleSince !== null;
}

/** Calls while the page is seen, and when it is seen again. */
function useTimer(call, isOn, every) {
  const latest = useRef(call);
  latest.current = call;
  useEffect(() => {
    if (!isOn) return undefined;
    const act = () => document.hidden || latest.current();
    const timer = setInterval(act, every);
    document.addEventListener("visibilitychange", act);
    return () => {
      clearInterval(timer);
      document.removeEventListener("visibilitychange", act);
    };
  }, [isOn, every]);
}

/** Tells of ids together, at most once in a while, but of what is urgent at once. */
function useGathered(tell) {
  const gathered = useRef({ ids: new Set(), timer: null, toldAt: -Infinity });
  useEffect(() => () => clearTimeout(gathered.current.timer), []);
  return (ids, isUrgent) => {
    const { current } = gathered;
    for (const id of ids) current.ids.add(id);
    if (current.timer !== null && !isUrgent) return;
    clearTimeout(current.timer);
    current.timer = setTimeout(() => {
      tell([...current.ids]);
      Object.assign(current, { ids: new Set(), timer: null, toldAt: performance.now() });
    }, isUrgent ? 0 : Math.max(0, current.toldAt + EVERY - performance.now()));
  };
}

function quoted(text) {
  return `'${text.replaceAll("'", "''")}'`;
}
