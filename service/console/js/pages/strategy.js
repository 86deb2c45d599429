// The page "Strategy": all strategies, or one and whether its best run is more than luck.
import { html } from "../html.js";
import { List } from "../strategy/list.js";
import { Strategy } from "../strategy/strategy.js";
import { useTitle } from "../title.js";

export const styles = ["css/strategy.css", "css/plot.css", "css/chart.css"];

/** @param {{params: URLSearchParams}} props */
export function Page({ params }) {
  useTitle("Strategy");
  const id = params.get("id");
  return id ? html`<${Strategy} key=${id} params=${params} />` : html`<${List} params=${params} />`;
}
