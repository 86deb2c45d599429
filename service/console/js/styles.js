// The styles of the other pages, which the first one has no need of. They are loaded once the browser is idle.

/** Load them, once. @returns {Promise<void>} when they are there, or cannot be had */
export function otherStyles() {
  loading ??= Promise.all(named().map(load)).then(() => {});
  return loading;
}

let loading = null;

function named() {
  const text = document.querySelector('meta[name="other-styles"]')?.content ?? "";
  return text.split(" ").filter(Boolean);
}

function load(href) {
  return new Promise((resolve) => {
    const link = Object.assign(document.createElement("link"), { rel: "stylesheet", href });
    link.addEventListener("load", resolve);
    link.addEventListener("error", resolve); // the page is readable without
    document.head.append(link);
  });
}
