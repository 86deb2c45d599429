// What happens to the runs of a view, for as long as a component is shown.
import { useEffect, useRef, useState } from "preact/hooks";
import { later } from "../later.js";

const listening = later(() => import("./listen.js"));

const PAUSE = 300; // ms in which a filter stays the same before it is listened to
const INITIAL = { name: "connecting", detail: "", by: "stream", retryAt: null, staleSince: null };

/**
 * Listen to the runs that match a filter. Where it was paused, it goes on with what was missed.
 * @param {{filter: string, experimentIds: string[], isOn: boolean, onEvent: (event: object) => void}} options
 * @returns {object} the state, as `listen` tells it; its name is "paused" where isOn is false
 */
export function useLive({ filter, experimentIds, isOn, onEvent }) {
  const [state, setState] = useState(INITIAL);
  const heard = useRef({ of: "", id: "" });
  const told = useRef(onEvent);
  told.current = onEvent;
  const of = JSON.stringify([filter, experimentIds]);
  const { now: module } = listening;
  useEffect(() => {
    if (!isOn) {
      setState({ ...INITIAL, name: "paused" });
      return undefined;
    }
    if (!module) {
      listening.want();
      return undefined;
    }
    let stop = null;
    const timer = setTimeout(() => {
      const since = heard.current.of === of ? heard.current.id : "";
      const onEvent = (event) => {
        heard.current = { of, id: event.id };
        told.current(event);
      };
      stop = module.listen({ filter, experimentIds, since, onEvent, onState: setState });
    }, PAUSE);
    return () => {
      clearTimeout(timer);
      stop?.();
    };
  }, [of, isOn, module]);
  return state;
}
