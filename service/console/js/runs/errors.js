// Errors of a search that the page "Runs" does not show as failures.

/** Whether an error is that of an index that has not read every run yet. */
export function isNotReady(error) {
  return error?.code === "index_not_ready";
}

/** Whether an error is one of the filter, of which the filter bar says what is wrong. */
export function isOfFilter(error) {
  return Boolean(error?.errors?.some(({ location }) => location === "query.filter"));
}
