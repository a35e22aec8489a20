import { useDeferredValue, useMemo, useState } from "react";
import { SHOWN } from "../api/multiples";
import { useAlerts, useStatus, useTrackers } from "../api/queries";
import type { Status } from "../api/types";
import { AlertList } from "../components/AlertList";
import { Button, ButtonLink, Card, Empty, Loading } from "../components/base";
import { ErrorNote, LateBanner } from "../components/states";
import { filtered, NO_FILTER, TrackerFilter, WORTH_FILTERING } from "../components/TrackerFilter";
import { TrackerRows } from "../components/TrackerRows";
import { useWindowSize, WindowSwitch } from "../components/WindowSwitch";
import * as format from "../lib/format";
import { NEW_TRACKER } from "../lib/places";
import { useTitle } from "../lib/title";
import { Emerging } from "../topics/Emerging";

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
      <li title={status.budget_per_day === null ? undefined : `all trackers together: at most about ${format.expectation(status.budget_per_day)} a day`}>
        promise: 1 false alert in {format.whole(status.promise_days)} days
      </li>
    </ul>
  );
}

function Trackers() {
  const trackers = useTrackers();
  const size = useWindowSize();
  const [filter, setFilter] = useState(NO_FILTER);
  // The list follows what is typed when there is time for it; the letters come first.
  const wanted = useDeferredValue(filter);
  const shown = useMemo(() => filtered(trackers.data?.items ?? [], wanted), [trackers.data, wanted]);
  if (trackers.error) return <ErrorNote error={trackers.error} retry={() => void trackers.refetch()} />;
  if (!trackers.data) return <Loading rows={6} label="Loading trackers" />;
  const all = trackers.data.items;
  if (all.length === 0) {
    return (
      <Empty title="Nothing is watched yet">
        <p>A tracker is a query whose posts are counted as they come in. You are told when they become unusual.</p>
        <ButtonLink to={NEW_TRACKER} primary>
          New tracker
        </ButtonLink>
      </Empty>
    );
  }
  return (
    <>
      {all.length >= WORTH_FILTERING && <TrackerFilter trackers={all} filter={filter} onChange={setFilter} />}
      {shown.length === 0 ? (
        <Empty title="No tracker is like that">
          <Button onClick={() => setFilter(NO_FILTER)}>Show all</Button>
        </Empty>
      ) : (
        <TrackerRows trackers={shown} windowS={size.windowS} mainS={size.mainS} />
      )}
    </>
  );
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

/** What is going on now: the trackers as small multiples, the alerts as they arrive, and what nobody watches yet. */
export function Live() {
  useTitle("Live");
  const status = useStatus().data;
  const alerts = useAlerts().data;
  const { windowS } = useWindowSize();
  const now = status?.clock ?? Date.now();
  const span = format.duration(SHOWN * windowS);
  return (
    <>
      <header className="page-head">
        <h1>Live</h1>
        {status && <StatusLine status={status} />}
        <ButtonLink to={NEW_TRACKER} primary>
          New tracker
        </ButtonLink>
      </header>
      {status && <LateBanner status={status} />}
      <div className="live-columns">
        <Card
          title="Trackers"
          note={`posts per ${format.windowSpan(windowS)}, last ${span} · band = what is usual at this hour`}
          action={<WindowSwitch />}
        >
          <Trackers />
        </Card>
        <Card title="Alerts" className="live-alerts" note={alerts ? `${format.whole(alerts.open)} open` : undefined}>
          <Alerts now={now} />
        </Card>
        <div className="live-topics">
          <Emerging />
        </div>
      </div>
    </>
  );
}
