// The single keys of the table of runs, and what each does.

/**
 * @param {import("./actions.js").Actions} actions
 * @returns {Array<{key: string, text: string, run?: (event: KeyboardEvent) => void}>} without `run`: listed only,
 *   for it works in the table alone
 */
export function shortcutsOf(actions) {
  return [
    { key: "j", text: "Next run (also ↓ in the table)", run: () => actions.move(1) },
    { key: "k", text: "Run before (also ↑ in the table)", run: () => actions.move(-1) },
    { key: "Shift+↓ ↑", text: "Select from run to run, in the table" },
    { key: "x", text: "Select the run, or not (also Space in the table)", run: () => actions.toggle(actions.active.value.place) },
    { key: "Enter", text: "Open the run, in the table" },
    { key: "c", text: "Compare the selected runs", run: () => actions.compare() },
    { key: "b", text: "Make the run the baseline, or no baseline", run: () => actions.row && actions.setBase(actions.row.id) },
    { key: "y", text: "Copy", run: () => (actions.copying.value = true) },
    { key: "v", text: "Choose columns", run: () => (actions.choosing.value = true) },
    { key: "]", text: "Sort by the next column", run: () => actions.sortByNeighbour(1) },
    { key: "[", text: "Sort by the column before", run: () => actions.sortByNeighbour(-1) },
    { key: "Escape", text: "Select none", run: () => actions.select([]) },
  ];
}
