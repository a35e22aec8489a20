/** Addresses of the page that are named in more than one place. */
export const NEW_TRACKER = "/trackers/new";

/** The editor with a query in it. */
export function newTrackerAddress(first: { query?: string; name?: string } = {}): string {
  const params = new URLSearchParams();
  if (first.query) params.set("q", first.query);
  if (first.name) params.set("name", first.name);
  const text = params.toString();
  return text ? `${NEW_TRACKER}?${text}` : NEW_TRACKER;
}

export function trackerAddress(id: string): string {
  return `/trackers/${encodeURIComponent(id)}`;
}

export function alertAddress(id: string): string {
  return `/alerts/${encodeURIComponent(id)}`;
}

export function topicAddress(id: string): string {
  return `/topics/${encodeURIComponent(id)}`;
}
