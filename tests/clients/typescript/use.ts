// Uses the generated types on the served API: it compiles only if the document has the types that it names, and
// returns what the six routes and the errors answered.
import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

type Schemas = components["schemas"];
type RunStatus = Schemas["RunStatus"];

const active: Record<RunStatus, boolean> = {
  RUNNING: true,
  SCHEDULED: true,
  FINISHED: false,
  FAILED: false,
  KILLED: false,
};

/** The good answer of a request, typed; an error of the service is thrown with its code. */
function good<T>(answer: { data?: T; error?: { code: Schemas["ProblemCode"]; detail: string } }): T {
  if (answer.error) throw new Error(`${answer.error.code}: ${answer.error.detail}`);
  if (answer.data === undefined) throw new Error("neither data nor an error");
  return answer.data;
}

/** What differs between compared runs, from the named types of the document. */
function differences(comparison: Schemas["Comparison"]): string[] {
  return Object.entries(comparison.param_diff)
    .filter(([, diff]) => diff.varies)
    .map(([name]) => name);
}

export async function use(baseUrl: string, key: string) {
  const client = createClient<paths>({ baseUrl, headers: { "X-API-Key": key } });
  const base = "/api/v1/tracking";
  const path = { run_id: "abc123def456" };

  const list = good(
    await client.GET(`${base}/runs`, { params: { query: { run_type: "training", limit: 20 } } }),
  );
  const first: Schemas["RunSummary"] | undefined = list.runs[0];
  const detailed = await client.GET(`${base}/runs/{run_id}`, { params: { path } });
  const detail: Schemas["RunDetail"] = good(detailed);
  const ended: number | null = detail.end_time;
  const etag = detailed.response.headers.get("ETag") ?? "";
  const again = await client.GET(`${base}/runs/{run_id}`, {
    params: { path, header: { "If-None-Match": etag, "X-Request-ID": "typescript-1" } },
  });
  const metrics: Schemas["Metrics"] = good(
    await client.GET(`${base}/runs/{run_id}/metrics`, { params: { path } }),
  ).metrics;
  const params: Schemas["Params"] = good(
    await client.GET(`${base}/runs/{run_id}/params`, { params: { path } }),
  ).params;
  const comparison = good(
    await client.POST(`${base}/runs/compare`, { body: { run_ids: ["abc123def456", "def456ghi789"] } }),
  );
  const experiments = good(await client.GET(`${base}/experiments`)).experiments;

  const missing = await client.GET(`${base}/runs/{run_id}`, { params: { path: { run_id: "nowhere" } } });
  const invalid = await client.GET(`${base}/runs`, { params: { query: { limit: 0 } } });
  const unknown = await client.GET(`${base}/runs`, { params: { query: { cursor: "unknown" } } });
  const stranger = await createClient<paths>({ baseUrl }).GET(`${base}/experiments`);
  const ready = await client.GET("/readyz");
  const readiness: Schemas["Readiness"] | undefined = ready.data;

  return {
    list: { total: list.total, first: first?.run_id },
    detail: { started: detail.start_time, ended, active: active[detail.status], tags: detail.tags },
    again: { status: again.response.status, id: again.response.headers.get("X-Request-ID") },
    metrics,
    params,
    comparison: { differences: differences(comparison), best: comparison.metric_diff["sharpe"]?.best_run_id },
    experiments: experiments.map((experiment) => experiment.name),
    ready: readiness?.status,
    missing: missing.error && "missing_run_ids" in missing.error ? missing.error.missing_run_ids : [],
    invalid: invalid.error && "errors" in invalid.error ? invalid.error.errors[0]?.location : "",
    unknown: unknown.error && "errors" in unknown.error ? unknown.error.errors[0]?.location : "",
    stranger: stranger.error?.code,
  };
}
