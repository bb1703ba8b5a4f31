// Requests of our own REST API, with its refusals (RFC 9457) as errors that hold a sentence.
const csrfToken = () => document.cookie.match(/(?:^|; )csrftoken=([^;]+)/)?.[1] ?? "";

/** The server answered, and said no. */
export class Refusal extends Error {
  constructor(status, problem) {
    super(problem.detail ?? `The server answered with status ${status}.`);
    this.status = status;
    this.code = problem.code ?? "";
  }

  /** Whether the same request may succeed a little later. */
  get isTransient() {
    return this.status >= 502 || this.status === 429 || this.status === 408;
  }
}

/** Sends JSON and returns JSON; throws Refusal, or TypeError when the server can't be reached. */
export async function callApi(path, { method = "GET", body, signal, keepalive } = {}) {
  const answer = await fetch(`/api/v1/${path}`, {
    method,
    signal,
    keepalive,
    headers: {
      Accept: "application/json",
      ...(body && { "Content-Type": "application/json" }),
      ...(method !== "GET" && { "X-CSRFToken": csrfToken() }),
    },
    body: body && JSON.stringify(body),
  });
  const isJson = /json/.test(answer.headers.get("Content-Type") ?? "");
  const content = isJson ? await answer.json() : {};
  if (!answer.ok) throw new Refusal(answer.status, content);
  return content;
}
