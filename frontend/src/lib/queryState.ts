import type { Window } from "../api/types";

/** The state of Explore as it stands in the address, so that a search can be sent as a link. */

export const SORTS = ["latest", "likes", "views", "engagement"] as const;
export type Sort = (typeof SORTS)[number];

export interface Search {
  q: string;
  platform: string;
  since: string;
  until: string;
  sort: Sort;
  limit: number;
  /** Only what came from this file; empty: from anywhere. */
  origin: string;
}

export const PAGE = 50;
/** As many as the page will list; the API and the command line give more. */
export const MOST = 500;

export const NO_SEARCH: Search = { q: "", platform: "", since: "", until: "", sort: "latest", limit: PAGE, origin: "" };

export function readSearch(params: URLSearchParams): Search {
  const sort = params.get("sort") ?? "";
  const limit = Number(params.get("limit"));
  return {
    q: params.get("q") ?? "",
    platform: params.get("platform") ?? "",
    since: params.get("since") ?? "",
    until: params.get("until") ?? "",
    sort: SORTS.find((known) => known === sort) ?? "latest",
    limit: Number.isInteger(limit) && limit > 0 ? Math.min(limit, MOST) : PAGE,
    origin: params.get("origin") ?? "",
  };
}

/** Only what differs from a fresh search, so that addresses stay short. */
export function writeSearch(search: Partial<Search>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(search)) {
    if (value !== NO_SEARCH[name as keyof Search] && value !== "") params.set(name, String(value));
  }
  const text = params.toString();
  return text ? `?${text}` : "";
}

/** The address of Explore for a search. */
export function exploreAddress(search: Partial<Search>): string {
  return `/posts${writeSearch(search)}`;
}

/** The address of the posts that a window counted. */
export function windowAddress(query: string, window: Pick<Window, "start">, windowS: number): string {
  const until = new Date(Date.parse(window.start) + windowS * 1000).toISOString();
  return exploreAddress({ q: query, since: new Date(window.start).toISOString(), until });
}

/** A query and one more condition: `a OR b` becomes `(a OR b) #tag`. */
export function narrowed(query: string, condition: string): string {
  const simple = /^(#?@?[\p{L}\p{N}_]+|"[^"]*")$/u.test(query.trim());
  return `${simple ? query.trim() : `(${query.trim()})`} ${condition}`;
}

/** A term as the query language takes it: words with spaces in quotes. */
export function quoted(term: string): string {
  return /^[\p{L}\p{N}_]+$/u.test(term) ? term : `"${term.replaceAll('"', "")}"`;
}

/** What a date or a time of the address means to the API: the local day's start, or the moment itself, as UTC. */
export function asMoment(value: string, end: boolean): string | null {
  if (!value) return null;
  const day = /^\d{4}-\d{2}-\d{2}$/.test(value);
  const when = new Date(day ? `${value}T00:00:00` : value);
  if (Number.isNaN(when.getTime())) return null;
  if (day && end) when.setDate(when.getDate() + 1);
  return when.toISOString();
}
