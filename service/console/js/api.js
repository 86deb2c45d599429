// The public API, as the pages ask it. Every answer comes with what is known of its age and its request.
import { signal } from "@preact/signals";

const BASE = new URL("../api/v1/tracking/", document.baseURI);
const REMEMBERED = 50; // requests that the health page lists
const STALE_AFTER = 30; // seconds: an answer from the cache that is younger is renewed behind it, as a rule
const KEPT_KEY = "experiment-tracking.key";

/** The caller's API key or token: in memory, and in sessionStorage only where the caller wants that. */
export const key = signal(storedKey());
/** Whether the service has refused a request for want of a key, or this one: null, or the ApiError that says so. */
export const refused = signal(null);
/** The newest requests, newest first: {method, path, status, requestId, ms, at}. */
export const requests = signal([]);

/**
 * What went wrong, as the service says it (RFC 9457), or "offline" where it was not reached.
 * status: 0 where there is none. retryAfter: seconds or null. errors: [{location, message, position?}].
 * problem: all members of the service's answer, {} where it gave none.
 */
export class ApiError extends Error {
  constructor({ status = 0, code, detail, requestId = "", retryAfter = null, errors = [], problem = {} }) {
    super(detail);
    Object.assign(this, { name: "ApiError", status, code, detail, requestId, retryAfter, errors, problem });
  }
}

/**
 * Ask a route below /api/v1/tracking/.
 * @param {string} path "runs/search"
 * @param {{query?: object, body?: object, signal?: AbortSignal, fresh?: boolean}} [options]
 *   query: values that are null, undefined or "" are left out; a list becomes several parameters.
 *   fresh: MLflow is asked, whatever is remembered.
 * @returns {Promise<{data: any,
 *   meta: {age: number, isRenewed: boolean, isStale: boolean, requestId: string, receivedAt: number}}>}
 *   age: seconds, of the answer when it was received. isRenewed: a newer one was asked for behind it.
 *   isStale: it should be newer, and MLflow gave nothing newer.
 */
export async function ask(path, { query = {}, body, signal: aborted, fresh = false } = {}) {
  const response = await send(path, { query, body, aborted, fresh, accept: "application/json" });
  return { data: await response.json(), meta: metaOf(response) };
}

/**
 * The response of a route whose body is read by whoever asks, such as a stream of events.
 * @param {string} path
 * @param {{query?: object, accept?: string, headers?: object, signal?: AbortSignal}} [options]
 */
export function open(path, { query = {}, accept = "application/json", headers = {}, signal: aborted } = {}) {
  return send(path, { query, aborted, accept, headers });
}

/** The address of a route, absolute, for links and for copied commands. */
export function addressOf(path, query = {}) {
  const url = new URL(path, BASE);
  for (const [name, value] of Object.entries(query)) {
    for (const one of [value].flat()) {
      if (one !== null && one !== undefined && one !== "") url.searchParams.append(name, one);
    }
  }
  return url;
}

/** Use this key from now on. @param {string} text @param {boolean} isKept for as long as the tab lives */
export function useKey(text, isKept) {
  key.value = text;
  refused.value = null;
  try {
    if (isKept) sessionStorage.setItem(KEPT_KEY, text);
    else sessionStorage.removeItem(KEPT_KEY);
  } catch {
    // A browser may forbid it; then the key lives in memory.
  }
}

async function send(path, { query, body, aborted, fresh, accept, headers = {} }) {
  const method = body === undefined ? "GET" : "POST";
  const asked = { Accept: accept, ...headers };
  if (key.value) asked.Authorization = `Bearer ${key.value}`;
  if (fresh) asked["Cache-Control"] = "no-cache";
  if (body !== undefined) asked["Content-Type"] = "application/json";
  const url = addressOf(path, query);
  const began = performance.now();
  let response;
  try {
    response = await fetch(url, {
      method,
      headers: asked,
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: aborted,
      credentials: "same-origin",
    });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    note({ method, path, status: 0, requestId: "", ms: performance.now() - began });
    throw new ApiError({ code: "offline", detail: "The service was not reached." });
  }
  const requestId = response.headers.get("X-Request-ID") ?? "";
  note({ method, path, status: response.status, requestId, ms: performance.now() - began });
  if (response.ok) return response;
  const error = await errorOf(response, requestId);
  if (error.status === 401 || error.code === "forbidden") refused.value = error;
  throw error;
}

async function errorOf(response, requestId) {
  const seconds = Number.parseInt(response.headers.get("Retry-After") ?? "", 10);
  const known = { status: response.status, requestId, retryAfter: Number.isFinite(seconds) ? seconds : null };
  try {
    const problem = await response.json();
    return new ApiError({ ...known, code: problem.code, detail: problem.detail, errors: problem.errors ?? [], problem });
  } catch {
    const detail = `The answer has status ${response.status}, and does not say why; is a proxy between?`;
    return new ApiError({ ...known, code: "unknown", detail });
  }
}

function metaOf(response) {
  const age = Number.parseInt(response.headers.get("Age") ?? "0", 10) || 0;
  const isRenewed = (response.headers.get("Cache-Status") ?? "").includes("detail=stale");
  return {
    age,
    isRenewed,
    isStale: isRenewed && age > STALE_AFTER,
    requestId: response.headers.get("X-Request-ID") ?? "",
    receivedAt: Date.now(),
  };
}

function note(request) {
  requests.value = [{ ...request, at: Date.now() }, ...requests.value].slice(0, REMEMBERED);
}

function storedKey() {
  try {
    return sessionStorage.getItem(KEPT_KEY) ?? "";
  } catch {
    return "";
  }
}
