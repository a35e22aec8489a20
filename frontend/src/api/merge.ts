import type { Alerts, AlertSummary, Change, Series, Tracker, Trackers, Window } from "./types";

/** How a change of the live line alters what the page already has. Pure, so that order and repetition can be tested. */

type Closed = Record<string, Window>;

/** A series with a window set in: replaced where it is known, in order otherwise; older than `since` falls off. */
export function withWindow(items: readonly Window[], window: Window, since: number): Window[] {
  const start = Date.parse(window.start);
  const kept = items.filter((known) => {
    const at = Date.parse(known.start);
    return at >= since && at !== start;
  });
  const after = kept.findIndex((known) => Date.parse(known.start) > start);
  if (after === -1) return [...kept, window];
  return [...kept.slice(0, after), window, ...kept.slice(after)];
}

function postsOf(items: readonly Window[]): number {
  return items.reduce((sum, window) => sum + window.count, 0);
}

export function seriesWithWindow(series: Series, window: Window, span: number): Series {
  const newest = Math.max(Date.parse(window.start), Date.parse(series.items.at(-1)?.start ?? window.start));
  const items = withWindow(series.items, window, newest + series.window_s * 1000 - span);
  return { ...series, items, posts: postsOf(items) };
}

/**
 * Trackers with what their last windows say. A window that says the same as the one before leaves its tracker as it is:
 * rows draw their windows from `multiples`, and hundreds of trackers need not be taken for changed every minute.
 */
export function trackersWithWindows(trackers: Trackers, closed: Closed): Trackers {
  let changed = false;
  const items = trackers.items.map((tracker) => {
    const window = closed[tracker.id];
    if (!window || (tracker.last && Date.parse(window.start) < Date.parse(tracker.last.start))) return tracker;
    if (tracker.last && window.state === tracker.last.state && window.state !== "unusual") return tracker;
    changed = true;
    return { ...tracker, last: window };
  });
  return changed ? { items } : trackers;
}

const names = new Intl.Collator("en", { sensitivity: "base", numeric: true });

/** Those with an open alert first, then by name: the order in which the server lists them. */
export function inOrder(trackers: readonly Tracker[]): Tracker[] {
  return [...trackers].sort(
    (a, b) => Number(a.open_alert === null) - Number(b.open_alert === null) || names.compare(a.name, b.name),
  );
}

export function trackersWithAlert(trackers: Trackers, alert: AlertSummary): Trackers {
  const items = trackers.items.map((tracker) => {
    if (tracker.id !== alert.tracker) return tracker;
    if (alert.closed_at === null) return { ...tracker, open_alert: alert.id };
    return tracker.open_alert === alert.id ? { ...tracker, open_alert: null } : tracker;
  });
  return { items: inOrder(items) };
}

/** A tracker that was added or changed; `null` means that it was removed. */
export function trackersWithTracker(trackers: Trackers, id: string, tracker: Tracker | null): Trackers {
  const others = trackers.items.filter((known) => known.id !== id);
  return { items: inOrder(tracker ? [...others, tracker] : others) };
}

/** Alerts newest first, with this one in its newest form. An older form than the known one changes nothing. */
export function alertsWithAlert(alerts: Alerts, alert: AlertSummary): Alerts {
  const known = alerts.items.find((other) => other.id === alert.id);
  if (known && Date.parse(known.updated_at) > Date.parse(alert.updated_at)) return alerts;
  const items = [...alerts.items.filter((other) => other.id !== alert.id), alert].sort(
    (a, b) => Date.parse(b.opened_at) - Date.parse(a.opened_at) || b.id.localeCompare(a.id),
  );
  const isOpen = (one: AlertSummary | undefined) => Number(one !== undefined && one.closed_at === null);
  return { ...alerts, items, open: Math.max(0, alerts.open + isOpen(alert) - isOpen(known)) };
}

/** Whether a change says that a tracker is gone. */
export function removesTracker(change: Change): boolean {
  return change.kind === "tracker" && !change.tracker;
}
