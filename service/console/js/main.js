// Draws the page of the address into the document, and loads what a page needs when it is first shown.
import { signal } from "@preact/signals";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import { key } from "./api.js";
import { html } from "./html.js";
import { listen as listenToKeys } from "./keys.js";
import { Failure } from "./parts/states.js";
import { listen as listenToLinks, place } from "./router.js";
import { Shell } from "./shell.js";
import { otherStyles } from "./styles.js";

const PAGES = {
  runs: () => import("./pages/runs.js"),
  run: () => import("./pages/run.js"),
  compare: () => import("./pages/compare.js"),
  strategy: () => import("./pages/strategy.js"),
  lineage: () => import("./pages/lineage.js"),
  health: () => import("./pages/health.js"),
};

const loaded = signal({});
const first = place.value.page;

/** Each module in pages/ exports `title`, a text, and `Page`, a component whose props are the URL's parameters. */
function Console() {
  const { page, params } = place.value;
  const name = page in PAGES ? page : "runs";
  const module = loaded.value[name];
  useEffect(() => {
    if (!module) load(name);
  }, [name, module]);
  useEffect(() => {
    document.title = `${module?.title ?? "Runs"} – Experiment Tracking`;
  }, [module]);
  const { Page, error } = module ?? {};
  return html`<${Shell} page=${name}>
    ${error && html`<${Failure} error=${error} retry=${() => location.reload()} />`}
    ${Page && html`<${Page} key=${`${name} ${key.value}`} params=${params} />`}
  <//>`;
}

async function load(name) {
  let module;
  try {
    [module] = await Promise.all([PAGES[name](), name === first ? undefined : otherStyles()]);
  } catch {
    const detail = "A part of the console could not be loaded; the service may have been upgraded meanwhile.";
    module = { error: { code: "offline", detail, errors: [], requestId: "", retryAfter: null } };
  }
  loaded.value = { ...loaded.value, [name]: module };
}

listenToLinks();
listenToKeys();
addEventListener("load", () => setTimeout(otherStyles, 2000)); // when the first page has had what it asks for
render(html`<${Console} />`, document.getElementById("console"));
