import { useRef, useState } from "react";
import { usePastAlerts, usePosts, useRemoveTracker, useStatus, useTrackers, useTrackerSeries } from "../api/queries";
import { usePrecision } from "../api/alerts";
import type { AlertSummary, Tracker, TrackerPrecision } from "../api/types";
import { AlertList } from "../components/AlertList";
import { Button, ButtonLink, Card, Empty, Loading } from "../components/base";
import { Dialog } from "../components/Dialog";
import { lineOfPost, PostList } from "../components/Posts";
import { SeriesChart } from "../components/SeriesChart";
import { ErrorNote } from "../components/states";
import { TrackerState } from "../components/TrackerRows";
import { useWindowSize, WindowSwitch } from "../components/WindowSwitch";
import { countryName } from "../lib/countries";
import * as format from "../lib/format";
import { trackerAddress } from "../lib/places";
import { exploreAddress, NO_SEARCH, windowAddress } from "../lib/queryState";
import { Link, navigate } from "../lib/router";
import { useTitle } from "../lib/title";

const SPANS = [
  [12, "12 h"],
  [24, "24 h"],
  [72, "3 days"],
  [336, "2 weeks"],
] as const;

interface SeriesCardProps {
  tracker: Tracker;
  alerts: readonly AlertSummary[];
  now: format.Moment;
}

function SeriesCard({ tracker, alerts, now }: SeriesCardProps) {
  const [hours, setHours] = useState<number>(24);
  const { windowS } = useWindowSize();
  const answer = useTrackerSeries(tracker.id, windowS, hours);
  const series = answer.data;
  return (
    <Card
      title={`Posts per ${format.windowSpan(windowS)}`}
      note={series && `n = ${format.whole(series.posts)} posts in ${format.duration(hours * 3600)} · band = what is usual at this hour`}
    >
      <div className="spans">
        <div className="switch" role="group" aria-label="Time shown">
          {SPANS.map(([span, name]) => (
            <button key={span} type="button" className="span" aria-pressed={span === hours} onClick={() => setHours(span)}>
              {name}
            </button>
          ))}
        </div>
        <WindowSwitch />
      </div>
      {answer.error && <ErrorNote error={answer.error} retry={() => void answer.refetch()} />}
      {!series && !answer.error && <Loading rows={5} label="Loading the series" />}
      {series && (
        <SeriesChart
          label={`Posts that match ${tracker.name}`}
          windows={series.items}
          windowS={windowS}
          now={now}
          marks={alerts.map((alert) => ({ at: alert.opened_at, says: `alert ${format.clock(alert.opened_at, now)}` }))}
          onOpen={(window) => navigate(windowAddress(tracker.query, window, windowS))}
        />
      )}
    </Card>
  );
}

/** How often the list of latest posts looks again, milliseconds. */
const LOOK_MS = 5_000;

function LatestPosts({ tracker, now }: { tracker: Tracker; now: format.Moment }) {
  const answer = usePosts({ ...NO_SEARCH, q: tracker.query, limit: 20 }, LOOK_MS);
  const first = useRef<Set<string> | null>(null);
  const lines = answer.data?.items.map(lineOfPost);
  // What was there when the page was opened is not news.
  if (lines && first.current === null) first.current = new Set(lines.map((line) => line.key));
  const fresh = lines?.map((line) => (first.current?.has(line.key) ? line : { ...line, tag: "new" }));
  return (
    <Card
      title="Latest posts"
      note={
        <>
          looks every {format.duration(LOOK_MS / 1000)}; a stream is here within a minute ·{" "}
          <Link className="text" to={exploreAddress({ q: tracker.query })}>
            all in Explore
          </Link>
        </>
      }
    >
      {answer.error && <ErrorNote error={answer.error} retry={() => void answer.refetch()} />}
      {!answer.data && !answer.error && <Loading rows={5} label="Searching" />}
      {answer.data?.items.length === 0 && <Empty title="No post matches">Neither imported nor received, so far.</Empty>}
      {fresh && fresh.length > 0 && <PostList posts={fresh} now={now} label="Latest posts" />}
    </Card>
  );
}

/** How often its alerts were worth it, against what was promised. */
function PrecisionCard({ tracker }: { tracker: Tracker }) {
  const answer = usePrecision(tracker.id, PRECISION_DAYS);
  const found = answer.data?.trackers.find((each) => each.tracker === tracker.id) ?? (answer.data ? answer.data.all : undefined);
  return (
    <Card title="Was it right?" note={`last ${format.duration(PRECISION_DAYS * 86_400)}`}>
      {answer.error && <ErrorNote error={answer.error} retry={() => void answer.refetch()} />}
      {!found && !answer.error && <Loading rows={2} label="Loading the verdicts" />}
      {found && <PrecisionFacts found={found} />}
    </Card>
  );
}

const PRECISION_DAYS = 90;

function PrecisionFacts({ found }: { found: TrackerPrecision }) {
  const { verdicts } = found;
  if (found.alerts === 0) return <p className="muted">It has raised no alert in this time.</p>;
  const perDay = (value: number | null) => (value === null ? format.MISSING : `${format.expectation(value * 30)} in 30 days`);
  return (
    <>
      {found.precision === null ? (
        <p>
          {found.alerts === 1 ? "Its one alert was not judged." : `None of its ${format.whole(found.alerts)} alerts was judged.`} Say on an alert
          what it was, and this page says how far to trust the next.
        </p>
      ) : (
        <p>
          <strong>{format.percent(found.precision)}</strong> of {format.counted(found.judged, "judged alerts")} were worth it
          <span className="muted">
            {" "}
            (95 %: {format.percent(found.low)} to {format.percent(found.high)})
          </span>
        </p>
      )}
      <dl className="facts small precision">
        <div>
          <dt className="muted">alerts</dt>
          <dd>
            {format.whole(found.alerts)}
            {found.alerts_per_day !== null && ` (${perDay(found.alerts_per_day)})`}
          </dd>
        </div>
        <div>
          <dt className="muted">verdicts</dt>
          <dd>
            {format.whole(verdicts.real ?? 0)} real, {format.whole(verdicts.known ?? 0)} known, {format.whole(verdicts.false ?? 0)} false,{" "}
            {format.whole(verdicts.none ?? 0)} open
          </dd>
        </div>
        <div>
          <dt className="muted">false alerts</dt>
          <dd>{perDay(found.false_per_day)}</dd>
        </div>
        <div>
          <dt className="muted">promised at most</dt>
          <dd>{perDay(found.promised_per_day)}</dd>
        </div>
      </dl>
    </>
  );
}

/** What was said of it in the editor. */
function SettingsCard({ tracker }: { tracker: Tracker }) {
  const facts: [string, string][] = [
    ["promise", `one false alert in ${format.counted(tracker.promise_days, "days")}`],
    ["public holidays of", tracker.country ? countryName(tracker.country) : "no country"],
    ["posts count by", tracker.count_by === "observed_at" ? "when they were seen" : "when they were posted"],
    ["alerts at once on an author with", tracker.reach_followers == null ? "never" : `more than ${format.counted(tracker.reach_followers, "followers")}`],
    ["or a post in the top", tracker.reach_share == null ? "never" : `${format.percent(tracker.reach_share)} of reach`],
    ["watched since", format.clock(tracker.created_at)],
  ];
  return (
    <Card title="Settings" note={`version ${tracker.version}`}>
      <dl className="facts small">
        {facts.map(([name, value]) => (
          <div key={name}>
            <dt className="muted">{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
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
        <div className="line-up">
          <ButtonLink to={`${trackerAddress(tracker.id)}/edit`}>Change</ButtonLink>
          <Removal tracker={tracker} />
        </div>
      </header>
      <SeriesCard tracker={tracker} alerts={past?.items ?? []} now={now} />
      <div className="card-pair">
        <PrecisionCard tracker={tracker} />
        <SettingsCard tracker={tracker} />
      </div>
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
