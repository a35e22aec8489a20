import { useState } from "react";
import { usePastAlerts, usePosts, useRemoveTracker, useStatus, useTrackers, useTrackerSeries } from "../api/queries";
import type { Tracker } from "../api/types";
import { AlertList } from "../components/AlertList";
import { Button, ButtonLink, Card, Empty, Loading } from "../components/base";
import { Dialog } from "../components/Dialog";
import { lineOfPost, PostList } from "../components/Posts";
import { SeriesChart } from "../components/SeriesChart";
import { ErrorNote } from "../components/states";
import { TrackerState } from "../components/TrackerRows";
import { useWindowSize } from "../components/WindowSwitch";
import * as format from "../lib/format";
import { exploreAddress, NO_SEARCH, windowAddress } from "../lib/queryState";
import { Link, navigate } from "../lib/router";
import { useTitle } from "../lib/title";

const SPANS = [
  [12, "12 h"],
  [24, "24 h"],
  [72, "3 days"],
  [336, "2 weeks"],
] as const;

function SeriesCard({ tracker, now }: { tracker: Tracker; now: format.Moment }) {
  const [hours, setHours] = useState<number>(24);
  const { windowS } = useWindowSize();
  const answer = useTrackerSeries(tracker.id, windowS, hours);
  const series = answer.data;
  return (
    <Card
      title={`Posts per ${format.windowSpan(windowS)}`}
      note={series && `n = ${format.whole(series.posts)} posts in ${format.duration(hours * 3600)} · band = what is usual at this hour`}
    >
      <div className="spans" role="group" aria-label="Time shown">
        {SPANS.map(([span, name]) => (
          <button key={span} type="button" className="span" aria-pressed={span === hours} onClick={() => setHours(span)}>
            {name}
          </button>
        ))}
      </div>
      {answer.error && <ErrorNote error={answer.error} retry={() => void answer.refetch()} />}
      {!series && !answer.error && <Loading rows={5} label="Loading the series" />}
      {series && (
        <SeriesChart
          label={`Posts that match ${tracker.name}`}
          windows={series.items}
          windowS={windowS}
          now={now}
          onOpen={(window) => navigate(windowAddress(tracker.query, window, windowS))}
        />
      )}
    </Card>
  );
}

function LatestPosts({ tracker, now }: { tracker: Tracker; now: format.Moment }) {
  const answer = usePosts({ ...NO_SEARCH, q: tracker.query, limit: 20 });
  return (
    <Card
      title="Latest posts"
      note={
        <Link className="text" to={exploreAddress({ q: tracker.query })}>
          all in Explore
        </Link>
      }
    >
      {answer.error && <ErrorNote error={answer.error} retry={() => void answer.refetch()} />}
      {!answer.data && !answer.error && <Loading rows={5} label="Searching" />}
      {answer.data?.items.length === 0 && <Empty title="No post matches">Neither imported nor received, so far.</Empty>}
      {answer.data && answer.data.items.length > 0 && (
        <PostList posts={answer.data.items.map(lineOfPost)} now={now} label="Latest posts" />
      )}
    </Card>
  );
}

function Removal({ tracker }: { tracker: Tracker }) {
  const [asked, setAsked] = useState(false);
  // This component goes with its tracker, so it cannot wait for the answer itself.
  const remove = useRemoveTracker(() => navigate("/"));
  return (
    <>
      <Button onClick={() => setAsked(true)}>Remove</Button>
      {asked && (
        <Dialog title={`Remove ${tracker.name}?`} onClose={() => setAsked(false)}>
          <p className="muted dialog-lead">It is no longer counted. Its alerts stay.</p>
          {remove.error && <ErrorNote error={remove.error} />}
          <div className="form-actions">
            <Button onClick={() => setAsked(false)}>Keep it</Button>
            <Button
              primary
              disabled={remove.isPending}
              onClick={() => remove.mutate(tracker.id)}
            >
              Remove
            </Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

function Found({ tracker }: { tracker: Tracker }) {
  const status = useStatus().data;
  const now = status?.clock ?? Date.now();
  const past = usePastAlerts(tracker.id).data;
  return (
    <>
      <header className="page-head page-head-sentence">
        <div className="sentence">
          <h1>{tracker.name}</h1>
          <p className="muted tracker-facts">
            <code>{tracker.query}</code>
            <TrackerState tracker={tracker} />
            <span>promise: 1 false alert in {format.whole(tracker.promise_days)} days</span>
          </p>
        </div>
        <Removal tracker={tracker} />
      </header>
      <SeriesCard tracker={tracker} now={now} />
      {past && past.items.length > 0 && (
        <Card title="Alerts" note={`${format.whole(past.items.length)} so far`}>
          <AlertList alerts={past.items} now={now} />
        </Card>
      )}
      <LatestPosts tracker={tracker} now={now} />
    </>
  );
}

/** One tracker: its series, its alerts, its latest posts. */
export default function TrackerPage({ id }: { id: string }) {
  const answer = useTrackers();
  const tracker = answer.data?.items.find((known) => known.id === id);
  useTitle(tracker?.name ?? "Tracker");
  return (
    <>
      <p className="crumbs small muted">
        <Link to="/" className="quiet">
          Live
        </Link>{" "}
        / Trackers
      </p>
      {tracker ? (
        <Found tracker={tracker} />
      ) : (
        <>
          <h1>{answer.data ? "No such tracker" : "Tracker"}</h1>
          {answer.error && <ErrorNote error={answer.error} retry={() => void answer.refetch()} />}
          {!answer.data && !answer.error && <Loading rows={8} label="Loading the tracker" />}
          {answer.data && (
            <Empty title="It was removed, or it never was.">
              <ButtonLink to="/">To Live</ButtonLink>
            </Empty>
          )}
        </>
      )}
    </>
  );
}
