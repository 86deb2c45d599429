// Draws the page of the address into the document, and loads what a page needs when it is first shown.
import { signal } from "@preact/signals";
import { render } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { key } from "./api.js";
import { html } from "./html.js";
import { listen as listenToKeys } from "./keys.js";
import { Failure } from "./parts/states.js";
import { listen as listenToLinks, place } from "./router.js";
import { Shell } from "./shell.js";
import { loadStyles } from "./styles.js";
import { useTitle } from "./title.js";

const PAGES = {
  runs: () => import("./pages/runs.js"),
  run: () => import("./pages/run.js"),
  compare: () => import("./pages/compare.js"),
  strategy: () => import("./pages/strategy.js"),
  lineage: () => import("./pages/lineage.js"),
  health: () => import("./pages/health.js"),
};

const loaded = signal({});

/**
 * Each module in pages/ exports `styles`, the paths of its style sheets, and `Page`, a component whose props are the
 * URL's parameters, and which names the document.
 */
function Console() {
  const { page, params } = place.value;
  const name = page in PAGES ? page : "runs";
  const module = loaded.value[name];
  // Before the first frame: an effect would wait for the frame of a page that has nothing in it.
  useLayoutEffect(() => {
    if (!module) load(name);
  }, [name, module]);
  const { Page, error } = module ?? {};
  return html`<${Shell} page=${name}>
    ${error && html`<${NotLoaded} error=${error} />`}
    ${Page && html`<${Page} key=${`${name} ${key.value}`} params=${params} />`}
  <//>`;
}

function NotLoaded({ error }) {
  useTitle("Not loaded");
  return html`<${Failure} error=${error} retry=${() => location.reload()} />`;
}

async function load(name) {
  let module;
  try {
    module = await PAGES[name]();
    await loadStyles(module.styles);
  } catch {
    const detail = "A part of the console could not be loaded; the service may have been upgraded meanwhile.";
    module = { error: { code: "offline", detail, errors: [], requestId: "", retryAfter: null } };
  }
  loaded.value = { ...loaded.value, [name]: module };
}

listenToLinks();
listenToKeys();
render(html`<${Console} />`, document.getElementById("console"));
