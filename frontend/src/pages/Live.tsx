import { LIVE_HOURS, useAlerts, useAllSeries, useStatus, useTrackers } from "../api/queries";
import type { AllSeries, Status } from "../api/types";
import { AlertList } from "../components/AlertList";
import { Button, Card, Empty, Loading } from "../components/base";
import { overlay } from "../components/overlays";
import { ErrorNote, LateBanner } from "../components/states";
import { shownSince } from "../components/plot";
import { TrackerRows } from "../components/TrackerRows";
import * as format from "../lib/format";
import { useTitle } from "../lib/title";

/** What comes in now, and how often the watch may be wrong. */
function StatusLine({ status }: { status: Status }) {
  const flowing = status.posts_per_s > 0;
  const age = format.secondsBetween(status.newest_event_at, status.clock ?? Date.now());
  const sources = status.sources.map((source) => `${source.name}: ${format.rate(source.records_per_s)}/s`).join("\n");
  return (
    <ul className="status-line" aria-label="Status">
      <li title={sources || "no source is connected"}>
        <span className={flowing ? "pulse pulse-on" : "pulse"} aria-hidden="true" />
        {flowing ? `${format.rate(status.posts_per_s)} posts/s` : "nothing comes in"}
      </li>
      {status.newest_event_at && <li title={format.utc(status.newest_event_at)}>newest event {format.duration(age)} ago</li>}
      <li>windows of {format.duration(status.window_s)}</li>
      <li>promise: 1 false alert in {format.whole(status.promise_days)} days</li>
    </ul>
  );
}

function Trackers({ now }: { now: format.Moment }) {
  const trackers = useTrackers();
  const series = useAllSeries();
  if (trackers.error) return <ErrorNote error={trackers.error} retry={() => void trackers.refetch()} />;
  if (!trackers.data || (!series.data && !series.error)) return <Loading rows={6} label="Loading trackers" />;
  if (trackers.data.items.length === 0) {
    return (
      <Empty title="Nothing is watched yet">
        <p>A tracker is a query whose posts are counted as they come in. You are told when they become unusual.</p>
        <Button primary onClick={() => overlay.set("tracker")}>
          New tracker
        </Button>
      </Empty>
    );
  }
  return <TrackerRows trackers={trackers.data.items} series={series.data ?? null} now={now} />;
}

function Alerts({ now }: { now: format.Moment }) {
  const alerts = useAlerts();
  if (alerts.error) return <ErrorNote error={alerts.error} retry={() => void alerts.refetch()} />;
  if (!alerts.data) return <Loading rows={3} label="Loading alerts" />;
  if (alerts.data.items.length === 0) {
    return <Empty title="Nothing unusual">An alert appears here as soon as a tracker leaves what is usual.</Empty>;
  }
  return <AlertList alerts={alerts.data.items} now={now} />;
}

function shownSeconds(series: AllSeries | undefined): number {
  return series ? (Date.parse(series.until) - shownSince(series)) / 1000 : LIVE_HOURS * 3600;
}

/** What is going on now: the trackers as small multiples and the alerts as they arrive. */
export function Live() {
  useTitle("Live");
  const status = useStatus().data;
  const alerts = useAlerts().data;
  const series = useAllSeries().data;
  const now = status?.clock ?? Date.now();
  return (
    <>
      <header className="page-head">
        <h1>Live</h1>
        {status && <StatusLine status={status} />}
        <Button primary onClick={() => overlay.set("tracker")}>
          New tracker
        </Button>
      </header>
      {status && <LateBanner status={status} />}
      <div className="live-columns">
        <Card title="Trackers" note={`last ${format.duration(shownSeconds(series))}, band = what is usual at this hour`}>
          <Trackers now={now} />
        </Card>
        <Card title="Alerts" note={alerts ? `${format.whole(alerts.open)} open` : undefined}>
          <Alerts now={now} />
        </Card>
      </div>
    </>
  );
}
