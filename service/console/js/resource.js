// Something that is asked of the API, and asked again when what it depends on changes.
import { useCallback, useLayoutEffect, useRef, useState } from "preact/hooks";

const PATIENCE = 400; // ms before a wait is shown
const RENEWAL = 1500; // ms in which the service has renewed, as a rule, what it answered from its memory

/**
 * @param {(signal: AbortSignal, fresh: boolean) => Promise<{data: any, meta: object}>} load
 * @param {Array<any>} depends load is called again when one of these changes
 * @param {any} [version] of what is asked for: another one where what is remembered is too old, so MLflow is asked anew
 * @returns {{data: any, meta: object | null, error: ApiError | null, isWaiting: boolean, reload: () => void}}
 *   data and meta: of the last answer, which stays while another is waited for or has failed.
 *   isWaiting: only once that takes longer than a reader would not notice. reload: asks MLflow anew.
 */
export function useResource(load, depends, version) {
  const [state, setState] = useState({ data: undefined, meta: null, error: null, isWaiting: false });
  const [asked, setAsked] = useState({ number: 0 });
  const last = useRef({ number: 0, version });
  // Not an effect, which waits for a frame: the question is on its way while that is drawn.
  useLayoutEffect(() => {
    const controller = new AbortController();
    const fresh = asked.number !== last.current.number || version !== last.current.version;
    last.current.number = asked.number;
    const timer = setTimeout(() => setState((old) => ({ ...old, isWaiting: true })), PATIENCE);
    const show = ({ data, meta }) => setState({ data, meta, error: null, isWaiting: false });
    load(controller.signal, fresh)
      .then(async (answer) => {
        last.current.version = version;
        if (!answer.meta?.isRenewed) return show(answer);
        // It is being renewed behind this answer. Only if the next one is as old, MLflow gives nothing newer.
        show({ ...answer, meta: { ...answer.meta, isStale: false } });
        await pause(RENEWAL, controller.signal);
        show(await load(controller.signal, false));
      })
      .catch((error) => {
        if (error.name === "AbortError") return;
        if (error.name !== "ApiError") throw error;
        setState((old) => ({ ...old, error, isWaiting: false }));
      })
      .finally(() => clearTimeout(timer));
    return () => {
      clearTimeout(timer);
      controller.abort();
    };
  }, [...depends, version, asked]);
  const reload = useCallback(() => setAsked((old) => ({ number: old.number + 1 })), []);
  return { ...state, reload };
}

function pause(ms, aborted) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    aborted.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(aborted.reason);
    });
  });
}
