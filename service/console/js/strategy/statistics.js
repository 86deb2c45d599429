// The statistics of a selection: each with its value or why it has none, and on demand how it is computed.
import { exact, number, percent } from "../format.js";
import { html } from "../html.js";
import { Wide } from "../parts/wide.js";

const GROUPS = [
  [
    "How sure",
    ["dsr", "Deflated Sharpe ratio (DSR)", "the probability of a true Sharpe ratio above what the best of all trials reaches by luck"],
    ["psr", "Probabilistic Sharpe ratio (PSR)", "the same, were this the only trial"],
    ["pbo", "Probability of backtest overfitting (PBO)", "how often the best of one half of the folds is below the median in the other; 0.5 for noise"],
    ["haircut.holm", "Haircut, Holm", "what is taken off the Sharpe ratio for all trials"],
    ["haircut.benjamini_yekutieli", "Haircut, Benjamini–Yekutieli", "the same, for trials that depend on each other"],
  ],
  [
    "How much is needed",
    ["min_track_record", "Minimum track record", "returns until the PSR reaches the level"],
    ["break_even_trials", "Break-even trials", "the most trials with which the DSR still reaches the level"],
    ["min_backtest_length", "Minimum backtest length", "years until noise does not reach the Sharpe ratio"],
    ["trial_budget", "Trial budget", "trials among which noise does not reach the Sharpe ratio in the years there are"],
  ],
  [
    "What it comes from",
    ["sharpe", "Sharpe ratio of the best run", "of one period"],
    ["deviation", "Deviation of the trials", "of their Sharpe ratios of one period"],
    ["deflation_benchmark", "Benchmark of the DSR", "the best of trials that are spread like these around zero, of one period"],
    ["expected_best_of_noise", "Expected best of noise", "the annual Sharpe ratio that the best of so many trials of noise reaches"],
    ["effective_trials", "Effective trials", "independent trials that these are worth"],
    ["dsr_distinct", "DSR, distinct configurations", "equal parameters count once"],
    ["dsr_effective", "DSR, effective trials", "trials that resemble each other count for less"],
    ["degradation", "Degradation", "slope of the result out of sample on that in sample"],
    ["probability_of_loss", "Probability of loss", "how often the best of one half of the folds loses in the other"],
    ["haircut.bonferroni", "Haircut, Bonferroni", "the strictest adjustment"],
  ],
];

/** @param {{report: object}} props what `GET /strategies/{id}/selection` answers */
export function Statistics({ report }) {
  const [first, ...others] = GROUPS;
  return html`
    <${Group} group=${first} report=${report} />
    <${Group} group=${others[0]} report=${report} />
    <details>
      <summary>All that it comes from</summary>
      <${Group} group=${others[1]} report=${report} />
      <${Sensitivity} report=${report} />
    </details>
    <${Inputs} report=${report} />
  `;
}

function Group({ group: [name, ...rows], report }) {
  return html`
    <h3>${name}</h3>
    <ul class="statistics">
      ${rows.map(([path, title, meaning]) => {
        const statistic = path.split(".").reduce((value, part) => value[part], report);
        return html`<${Row} path=${path} title=${title} meaning=${meaning} statistic=${statistic} report=${report} />`;
      })}
    </ul>
  `;
}

function Row({ path, title, meaning, statistic, report: { level, fold_metric: folds } }) {
  const { value, reason, warnings } = statistic;
  return html`<li data-statistic=${path}>
    <div><strong>${title}</strong><span class="meaning">${meaning}</span></div>
    <div>
      ${value === null
        ? html`<span class="reason"><strong>Not computable:</strong> ${reason?.text ?? "no reason is known"}</span>`
        : html`<span class="figure" title=${exact(value)}>${shown(path, statistic)}</span>${compared(path, value, level)}`}
      ${path === "pbo" && html`<span class="meaning">folds: steps of <bdi>${folds}</bdi></span>`}
      ${warnings.map((text) => html`<span class="warning">${text}</span>`)}
    </div>
    <${Method} statistic=${statistic} />
  </li>`;
}

function shown(path, { value, method }) {
  if (path.startsWith("haircut.")) return percent(value);
  const unit = String(method.conventions.unit ?? "");
  return `${number(value)}${["observations", "years", "trials"].includes(unit) ? ` ${unit}` : ""}`;
}

function compared(path, value, level) {
  if (!/^(dsr|psr)/.test(path)) return null;
  return value >= level
    ? html` <span class="better">reaches ${number(level)}</span>`
    : html` <span class="worse">below ${number(level)}</span>`;
}

/** How a statistic is computed, and from what. @param {{statistic: object}} props */
export function Method({ statistic: { method, inputs } }) {
  return html`<details class="method">
    <summary>Method</summary>
    <p>${method.name}. ${method.reference}.</p>
    ${Object.keys(method.conventions).length > 0 &&
    html`<dl>${Object.entries(method.conventions).map(([name, value]) => html`<dt>${name}</dt><dd>${String(value)}</dd>`)}</dl>`}
    ${inputs.length > 0 && html`<${InputTable} inputs=${inputs} />`}
  </details>`;
}

const SOURCES = { query: "declared here", assumed: "assumed", derived: "from the trials" };

function InputTable({ inputs }) {
  return html`<table>
    <thead><tr><th scope="col">Input</th><th scope="col" class="number">Value</th><th scope="col">Unit</th><th scope="col">From</th></tr></thead>
    <tbody>
      ${inputs.map(
        ({ name, value, unit, source }) => html`<tr>
          <th scope="row">${name}</th>
          <td class="number" title=${exact(value)}>${typeof value === "string" ? html`<bdi>${value}</bdi>` : number(value)}</td>
          <td>${unit}</td>
          <td class=${source === "assumed" ? "worse" : ""}>${SOURCES[source] ?? html`<code><bdi>${source}</bdi></code>`}</td>
        </tr>`,
      )}
    </tbody>
  </table>`;
}

/** What the verdict rests on, and where it came from, each input once. */
function Inputs({ report }) {
  const all = [report.sharpe, report.psr, report.dsr].flatMap((one) => one.inputs);
  const inputs = [...new Map(all.map((one) => [one.name, one])).values()];
  if (!inputs.length) return null;
  return html`<details>
    <summary>Inputs of the verdict, and where they came from</summary>
    <${Wide} label="Inputs"><${InputTable} inputs=${inputs} /><//>
  </details>`;
}

function Sensitivity({ report: { sensitivity } }) {
  if (!sensitivity.length) return null;
  const cell = ({ value, reason }) => (value === null ? html`<span class="reason">${reason?.text}</span>` : number(value));
  return html`<${Wide} label="Sensitivity">
    <table>
      <caption>If the returns had other moments than those assumed</caption>
      <thead>
        <tr><th scope="col" class="number">Skewness</th><th scope="col" class="number">Kurtosis (raw)</th><th scope="col" class="number">PSR</th><th scope="col" class="number">DSR</th></tr>
      </thead>
      <tbody>
        ${sensitivity.map(
          (one) => html`<tr>
            <td class="number">${number(one.skewness)}</td><td class="number">${number(one.kurtosis)}</td>
            <td class="number">${cell(one.psr)}</td><td class="number">${cell(one.dsr)}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  <//>`;
}
