// Which page is shown: that of the address. A link to a page of the console changes the address and loads nothing.
import { signal } from "@preact/signals";

/** The page's name and its parameters, as the address has them. */
export const place = signal(read());

/**
 * Go to an address of the console.
 * @param {string} href relative to the page, such as "run?id=abc"
 * @param {{replace?: boolean}} [options] replace: the browser's back button does not lead to where we were
 */
export function go(href, { replace = false } = {}) {
  const url = new URL(href, location.href);
  if (url.href !== location.href) history[replace ? "replaceState" : "pushState"](null, "", url);
  place.value = read();
}

/** Listen to links and to the browser's back button. To be called once. */
export function listen() {
  addEventListener("popstate", () => {
    place.value = read();
  });
  document.addEventListener("click", (event) => {
    const link = event.target.closest?.("a[href]");
    if (!link || event.defaultPrevented || !isOurs(link, event)) return;
    event.preventDefault();
    go(link.href);
    scrollTo(0, 0);
  });
}

function isOurs(link, event) {
  if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return false;
  if (link.target || link.hasAttribute("download")) return false;
  const here = new URL(document.baseURI);
  const parent = here.pathname.slice(0, here.pathname.lastIndexOf("/") + 1);
  const path = link.pathname;
  return link.origin === here.origin && path.startsWith(parent) && !path.slice(parent.length).includes("/");
}

function read() {
  const url = new URL(location.href);
  return { page: url.pathname.slice(url.pathname.lastIndexOf("/") + 1), params: url.searchParams };
}
