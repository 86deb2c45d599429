// A part of a page whose module is loaded once the part is shown, so that the page itself comes sooner.
import { useEffect, useState } from "preact/hooks";
import { html } from "../html.js";
import { Failure, Skeleton } from "./states.js";

/**
 * @param {{load: () => Promise<Function>, rows: number, props: object}} options
 *   load: imports the module, and gives the component in it. rows: of the skeleton until then.
 */
export function Later({ load, rows, props }) {
  const [loaded, setLoaded] = useState(null);
  useEffect(() => {
    load().then(
      (Part) => setLoaded({ Part }),
      () => setLoaded({ error: LOST }),
    );
  }, []);
  if (!loaded) return html`<${Skeleton} rows=${rows} isVisible=${false} />`;
  if (loaded.error) return html`<${Failure} error=${loaded.error} retry=${() => location.reload()} />`;
  return html`<${loaded.Part} ...${props} />`;
}

const LOST = {
  code: "offline",
  detail: "A part of the console could not be loaded; the service may have been upgraded meanwhile.",
  errors: [],
  requestId: "",
  retryAfter: null,
};
