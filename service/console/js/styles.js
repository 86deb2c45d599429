// The style sheets of pages: each is loaded when a page that needs it is first shown.

const ASSETS = new URL("../", import.meta.url);

/**
 * Load those style sheets that the document does not have yet.
 * @param {string[]} paths below the folder of assets, such as "css/runs.css"
 */
export async function loadStyles(paths) {
  const has = new Set([...document.styleSheets].map((sheet) => sheet.href));
  await Promise.all(
    paths
      .map((path) => new URL(path, ASSETS).href)
      .filter((href) => !has.has(href))
      .map((href) => added(href)),
  );
}

function added(href) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = href;
  document.head.append(link);
  return new Promise((resolve, reject) => {
    link.addEventListener("load", resolve);
    link.addEventListener("error", reject);
  });
}
