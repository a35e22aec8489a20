import type { ProblemDocument } from "./types";

const BASE = "/api/v1";

/** Where a query stopped making sense: the column counts characters from 1. */
export interface QueryFault {
  query: string;
  column: number;
  expected: string;
}

/** An answer that is not the one asked for, with what the server says about it. */
export class Problem extends Error {
  readonly status: number;
  readonly hint: string | null;
  readonly fault: QueryFault | null;

  constructor(document: Partial<ProblemDocument>, status: number) {
    super(document.detail || document.title || `The server answered ${status}.`);
    this.name = "Problem";
    this.status = status;
    this.hint = document.hint ?? null;
    this.fault = queryFault(document);
  }
}

/** Nobody answered at all. */
export class ServerGone extends Error {
  constructor() {
    super("The server does not answer.");
    this.name = "ServerGone";
  }
}

/** The place of a syntax error, which the problem carries as a field of its own or as its first error. */
export function queryFault(document: Partial<ProblemDocument>): QueryFault | null {
  const candidates: unknown[] = [document, ...(document.errors ?? [])];
  for (const candidate of candidates) {
    if (typeof candidate !== "object" || candidate === null) continue;
    const { query, column, expected } = candidate as Record<string, unknown>;
    if (typeof column === "number") {
      return { query: String(query ?? ""), column, expected: typeof expected === "string" ? expected : "" };
    }
  }
  return null;
}

async function answer<T>(path: string, init?: RequestInit): Promise<T> {
  let response: Response;
  try {
    response = await fetch(BASE + path, { ...init, headers: { accept: "application/json", ...init?.headers } });
  } catch {
    throw new ServerGone();
  }
  if (response.status === 204) return undefined as T;
  const body: unknown = await response.json().catch(() => null);
  if (!response.ok) throw new Problem((body ?? {}) as Partial<ProblemDocument>, response.status);
  return body as T;
}

type Parameters = Record<string, string | number | null | undefined>;

/** `path` with the parameters that are set. */
export function address(path: string, parameters: Parameters = {}): string {
  const set = Object.entries(parameters).filter(([, value]) => value !== null && value !== undefined && value !== "");
  const search = new URLSearchParams(set.map(([name, value]) => [name, String(value)]));
  return set.length ? `${path}?${search}` : path;
}

export function get<T>(path: string, parameters?: Parameters): Promise<T> {
  return answer<T>(address(path, parameters));
}

export function send<T>(method: "POST" | "PUT" | "PATCH" | "DELETE", path: string, body?: unknown): Promise<T> {
  return answer<T>(path, {
    method,
    ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { "content-type": "application/json" } }),
  });
}

/** Address of the live socket that goes on after change `seq`. */
export function liveAddress(seq: number): string {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${location.host}${BASE}/live?after=${seq}`;
}
