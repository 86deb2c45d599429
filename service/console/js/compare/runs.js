// The runs of a comparison: their letters and colours, and what tells each from the others. Pure.

const MOST_NAMED = 2; // differences that a label names
const LONGEST = 24; // characters of a value in a label

/**
 * place: in the address; its letter, its colour and its dashes come from it.
 * @typedef {{id: string, letter: string, place: number, isBaseline: boolean, isDeleted: boolean, name: string, status: string, startMs: number | null, experimentId: string, differs: string}} ComparedRun
 */

/**
 * The runs in the order in which they are shown. A letter and a colour belong to a place in the address.
 * @param {string[]} shown ids, the baseline first
 * @param {string[]} asked ids in the order of the address
 * @param {object} analysis of the API
 * @param {Map<string, object>} heads what search says of the runs; it may lack some
 * @returns {ComparedRun[]}
 */
export function runsOf(shown, asked, analysis, heads) {
  const labels = differencesOf(analysis, shown);
  const place = new Map(asked.map((id, index) => [id, index]));
  const deleted = new Set(analysis.warnings.filter(({ code }) => code === "deleted").flatMap((one) => one.run_ids));
  return shown.map((id) => {
    const head = heads.get(id);
    return {
      id,
      letter: letterOf(place.get(id)),
      place: place.get(id),
      isBaseline: id === analysis.baseline,
      isDeleted: deleted.has(id),
      name: head?.run_name ?? "",
      status: head?.status ?? "",
      startMs: head?.start_time ?? null,
      experimentId: head?.experiment_id ?? "",
      differs: labels.get(id),
    };
  });
}

/** A, B, …, Z, AA, AB, …  @param {number} place from 0 */
export function letterOf(place) {
  const last = String.fromCharCode(65 + (place % 26));
  return place < 26 ? last : letterOf(Math.floor(place / 26) - 1) + last;
}

/**
 * What tells each run from the others: the few parameters, or else tags, that part the runs most.
 * @returns {Map<string, string>} by id: "lookback_days=252, universe=liquid"; "" where nothing differs
 */
export function differencesOf({ params, tags }, ids) {
  const varying = Object.entries(params).filter(([, one]) => one.varies && !one.same_number);
  let chosen = telling(varying.map(([name, { values }]) => [name, values]), ids);
  if (!chosen.length) chosen = telling(Object.entries(tags), ids);
  return new Map(ids.map((id) => [id, chosen.map(([name, values]) => named(name, values[id])).join(", ")]));
}

function telling(candidates, ids) {
  const chosen = [];
  let groups = ids.map(() => "");
  for (let count = 1; chosen.length < MOST_NAMED && count < ids.length; ) {
    let best = null;
    for (const candidate of candidates) {
      const split = ids.map((id, index) => `${groups[index]}\0${candidate[1][id] ?? "\0"}`);
      const size = new Set(split).size;
      if (size > (best?.size ?? count)) best = { candidate, split, size };
    }
    if (!best) break;
    chosen.push(best.candidate);
    ({ split: groups, size: count } = best);
  }
  return chosen;
}

function named(name, value) {
  if (value === null) return `no ${name}`;
  return `${name}=${value.length > LONGEST ? `${value.slice(0, LONGEST - 1)}\u2026` : value}`;
}
