// What happens to the runs of the page "Runs" while it is shown.
import { useEffect, useState } from "preact/hooks";
import { filterOf } from "../filter/choices.js";
import { useLive } from "../live/use.js";

/**
 * Tell the rows what happens to runs. Rows that are there change in place; where there are none, new ones come by
 * themselves, since nothing can move under the pointer.
 * @param {object} rows @param {object} above those that stand above the others, whatever the filter
 * @param {object} state of the view
 * @returns {{live: object, version: number}} live: of `useLive`. version: grows when runs have changed
 */
export function useChanges(rows, above, state) {
  const [version, setVersion] = useState(0);
  const onEvent = (event) => {
    rows.apply(event);
    above.apply({ ...event, data: { ...event.data, matches: true } });
    if (event.event.startsWith("run.") || event.event === "reset") setVersion((old) => old + 1);
  };
  const live = useLive({ filter: filterOf(state), experimentIds: state.exp, isOn: state.live, onEvent });
  const isFirst = rows.total.value === 0 && rows.news.value > 0;
  useEffect(() => {
    if (isFirst) rows.reload();
  }, [isFirst, rows.begun.value]);
  return { live, version };
}
