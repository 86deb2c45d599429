// All that reads filters and what people type. It is loaded when a filter is there, or the bar is used.
export { choicesAt, chosen, contextAt, wantsValues } from "./complete.js";
export { lastFilters, remember } from "./history.js";
export { shortest, translate } from "./translate.js";
