import type { AllSeries, Tracker, Window } from "../api/types";
import * as format from "../lib/format";
import { Link } from "../lib/router";
import { Tag } from "./base";
import { shownSince } from "./plot";
import { Sparkline } from "./Sparkline";

interface TrackerRowsProps {
  trackers: readonly Tracker[];
  series: AllSeries | null;
  now: format.Moment;
}

/** One row a tracker: name, small multiple, how many times the usual, and its state. */
export function TrackerRows({ trackers, series, now }: TrackerRowsProps) {
  const windows = new Map(series?.items.map((item) => [item.tracker, item.items]));
  const until = series?.until ?? new Date(now).toISOString();
  const since = series ? new Date(shownSince(series)).toISOString() : until;
  return (
    <ul className="rows">
      {trackers.map((tracker) => (
        <li key={tracker.id} className="row tracker">
          <p className="tracker-name">
            <Link to={`/trackers/${tracker.id}`} className="quiet strong" data-row>
              {tracker.name}
            </Link>
            {!sameWords(tracker.name, tracker.query) && <span className="small muted tracker-query">{tracker.query}</span>}
          </p>
          <Sparkline
            label={tracker.name}
            windows={windows.get(tracker.id) ?? []}
            windowS={series?.window_s ?? 300}
            since={since}
            until={until}
          />
          <TrackerRatio window={tracker.last} />
          <p className="tracker-state">
            <TrackerState tracker={tracker} />
          </p>
        </li>
      ))}
    </ul>
  );
}

/** A name that only quotes the query otherwise says nothing new. */
function sameWords(name: string, query: string): boolean {
  const plain = (text: string) => text.replace(/["“”„]/g, "").trim().toLowerCase();
  return plain(name) === plain(query);
}

function TrackerRatio({ window }: { window: Window | null }) {
  const measured = window && window.state !== "gap" && window.state !== "learning" && window.expected;
  const ratio = measured ? window.count / (window.expected as number) : null;
  const base = measured
    ? `${format.whole(window.count)} posts against ${format.expectation(window.expected)} expected in the window from ${format.utc(window.start)}`
    : "nothing to compare with yet";
  const hot = window?.state === "unusual";
  return (
    <p className={`number tracker-ratio ${hot ? "unusual strong" : ratio === null ? "muted" : ""}`} title={base}>
      {format.ratio(ratio)}
    </p>
  );
}

/** The state of a tracker in a word or two; an open alert leads to its page. */
export function TrackerState({ tracker }: { tracker: Tracker }) {
  const window = tracker.last;
  if (window?.state === "unusual" || tracker.open_alert) {
    const hot = window?.state === "unusual";
    const days = hot ? format.rarity(window.return_days) : "alert still open";
    const tag = <Tag tone={hot ? "unusual" : "quiet"}>{days}</Tag>;
    return tracker.open_alert ? (
      <Link to={`/alerts/${tracker.open_alert}`} aria-label={`${days}: open the alert`}>
        {tag}
      </Link>
    ) : (
      tag
    );
  }
  if (!window) return <Tag title="no window has closed yet">waiting</Tag>;
  switch (window.state) {
    case "gap":
      return <Tag title="nothing was received in the last window: not scored">no data</Tag>;
    case "learning":
      return <Tag title="too little history to say what is usual">learning</Tag>;
    case "macro":
      return (
        <Tag title={`everything is at ${format.ratio(window.platform_ratio)} of the usual`}>rises with the platform</Tag>
      );
    default:
      return <Tag title={`such a window comes ${format.onceIn(window.return_days)}`}>usual</Tag>;
  }
}
