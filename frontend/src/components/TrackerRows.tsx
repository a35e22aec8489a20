import { memo, useEffect, useSyncExternalStore } from "react";
import { liveMultiples, type MultiplesStore } from "../api/multiples";
import type { Tracker, Window } from "../api/types";
import * as format from "../lib/format";
import { tablesShown } from "../lib/keys";
import { NOTHING } from "../lib/line";
import { Link } from "../lib/router";
import { useStore } from "../lib/store";
import { useSize } from "../lib/useSize";
import { Tag } from "./base";
import { inWords, Sparkline } from "./Sparkline";
import { VirtualRows } from "./VirtualRows";

interface TrackerRowsProps {
  trackers: readonly Tracker[];
  windowS: number;
  /** The size whose last window the trackers carry themselves. */
  mainS: number;
  store?: MultiplesStore;
}

/** One row a tracker: name, small multiple, how many times the usual, and its state. Only rows in view are drawn. */
export const TrackerRows = memo(function TrackerRows({ trackers, windowS, mainS, store = liveMultiples }: TrackerRowsProps) {
  const [cell, { width }] = useSize<HTMLDivElement>({ width: 270, height: 32 });
  const [row, { height }] = useSize<HTMLDivElement>({ width: 700, height: 53 });
  return (
    <>
      <div className="tracker-probe" aria-hidden="true">
        <div className="tracker-grid" ref={row}>
          <span />
          <div className="spark" ref={cell} />
        </div>
      </div>
      <VirtualRows items={trackers} keyOf={(tracker) => tracker.id} rowHeight={height} label="Trackers">
        {(tracker) => <TrackerRow tracker={tracker} windowS={windowS} mainS={mainS} width={width} store={store} />}
      </VirtualRows>
    </>
  );
});

interface TrackerRowProps {
  tracker: Tracker;
  windowS: number;
  mainS: number;
  width: number;
  store: MultiplesStore;
}

const TrackerRow = memo(function TrackerRow({ tracker, windowS, mainS, width, store }: TrackerRowProps) {
  useEffect(() => store.want(windowS, tracker.id), [store, windowS, tracker.id]);
  const multiple = useSyncExternalStore(store.subscribe, () => store.get(windowS, tracker.id));
  const axis = useSyncExternalStore(store.subscribe, () => store.axis(windowS));
  const asTable = useStore(tablesShown);
  const last = multiple?.last ?? (windowS === mainS ? tracker.last : null);
  const named = !sameWords(tracker.name, tracker.query);
  return (
    <div className="tracker tracker-grid">
      <p className="tracker-name">
        <Link to={`/trackers/${tracker.id}`} className={`quiet strong ${named ? "one-line" : "two-lines"}`} data-row>
          {tracker.name}
        </Link>
        {named && <span className="small muted tracker-query">{tracker.query}</span>}
      </p>
      <div className="spark">
        {asTable ? (
          <span className="small muted">{last ? inWords(last) : "no window yet"}</span>
        ) : (
          <Sparkline
            label={tracker.name}
            line={multiple?.line ?? NOTHING}
            last={last}
            windowS={windowS}
            width={width}
            {...axis}
          />
        )}
      </div>
      <TrackerRatio window={last} />
      <p className="tracker-state">
        <TrackerState tracker={tracker} last={last} />
      </p>
    </div>
  );
});

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
export function TrackerState({ tracker, last = tracker.last }: { tracker: Tracker; last?: Window | null }) {
  const window = last;
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
