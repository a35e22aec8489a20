import { useState } from "react";
import { Problem } from "../api/client";
import { Actions } from "../alert/Actions";
import { Activity } from "../alert/Activity";
import { Group, Similar } from "../alert/Others";
import { People } from "../alert/People";
import { Recompute } from "../alert/Recompute";
import { Voices } from "../alert/Voices";
import { SeasonCard } from "../alert/SeasonCard";
import { useAlert, useStatus } from "../api/queries";
import type { Alert } from "../api/types";
import { Checks } from "../components/Checks";
import { ButtonLink, Card, Empty, Loading } from "../components/base";
import { Drivers } from "../components/Drivers";
import { lineOfEvidence, PostList } from "../components/Posts";
import { SeriesChart } from "../components/SeriesChart";
import { ErrorNote } from "../components/states";
import * as format from "../lib/format";
import { exploreAddress, windowAddress } from "../lib/queryState";
import { Link, navigate } from "../lib/router";
import { useTitle } from "../lib/title";

function age(alert: Alert, now: format.Moment): string {
  const end = alert.closed_at ?? now;
  const lasted = format.duration(format.secondsBetween(alert.opened_at, end));
  return alert.closed_at ? `over after ${lasted}` : `open ${lasted}, ${alert.phase}`;
}

function Sentence({ alert, now }: { alert: Alert; now: format.Moment }) {
  const { evidence } = alert;
  const range = `${format.expectation(evidence.lower)}–${format.expectation(evidence.upper)}`;
  const p = `p = ${format.probability(evidence.p_value)} in one window`;
  return (
    <div className="sentence">
      <h1>{alert.headline}</h1>
      {evidence.windows.length === 0 ? (
        <p className="muted">
          {alert.detail && `${alert.detail} · `}
          {age(alert, now)}
        </p>
      ) : (
        <p className="muted">
          {format.whole(evidence.observed)} posts in the window against {format.expectation(evidence.expected)} expected ({range}) ·{" "}
          <span title={p}>{format.onceIn(evidence.return_days)}</span> · {age(alert, now)}
        </p>
      )}
    </div>
  );
}

function Footer({ alert }: { alert: Alert }) {
  const [copied, setCopied] = useState(false);
  const { evidence } = alert;
  const [first, last] = evidence.span;
  const copy = async () => {
    await navigator.clipboard.writeText(location.href);
    setCopied(true);
    setTimeout(() => setCopied(false), 2000);
  };
  return (
    <footer className="foot small muted">
      <details>
        <summary>
          {first !== undefined && last !== undefined && last >= first
            ? `Counted from journal records ${format.whole(first)}–${format.whole(last)}`
            : "Frozen with the alert"}
          {alert.lake_version != null && `, in the lake since version ${format.whole(alert.lake_version)}`}, signal {alert.signal},
          parameters as saved
        </summary>
        <dl className="facts">
          {Object.entries(evidence.parameters).map(([name, value]) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{String(value)}</dd>
            </div>
          ))}
        </dl>
      </details>
      <span aria-hidden="true">·</span>
      <Recompute alert={alert} />
      <span aria-hidden="true">·</span>
      <button type="button" className="link-button" onClick={() => void copy()}>
        {copied ? "copied" : "copy link"}
      </button>
      <span aria-hidden="true">·</span>
      <a className="text" href={`/api/v1/alerts/${alert.id}`}>
        JSON
      </a>
    </footer>
  );
}

function Evidence({ alert, now }: { alert: Alert; now: format.Moment }) {
  const { evidence } = alert;
  const counted = evidence.windows.reduce((sum, window) => sum + window.count, 0);
  const span = evidence.windows.length * evidence.window_s;
  const episode = { since: alert.started_at, until: alert.updated_at };
  const end = alert.updated_at;
  return (
    <>
      <div className="alert-columns">
        {evidence.windows.length === 0 ? (
          <Card title="One post was enough">
            <p className="muted">
              {alert.tracker_name} alerts at once on a post of great reach, without waiting for a window. The posts stand below.
            </p>
          </Card>
        ) : (
          <Card
            title={`Posts per ${format.windowSpan(evidence.window_s)}`}
            note={`n = ${format.whole(counted)} posts in ${format.duration(span)} · band = what is usual at this hour`}
          >
            <SeriesChart
              label={`Posts per ${format.windowSpan(evidence.window_s)} that match ${alert.tracker_name}`}
              windows={evidence.windows}
              windowS={evidence.window_s}
              marks={[{ at: alert.opened_at, says: `alert opened ${format.clock(alert.opened_at, end)}` }]}
              now={end}
              onOpen={(window) => navigate(windowAddress(alert.query, window, evidence.window_s))}
            />
          </Card>
        )}
        <Card title="Does it hold?">
          <Checks alert={alert} />
        </Card>
      </div>
      <Voices alert={alert} />
      <Drivers alert={alert} />
      <Group alert={alert} now={now} />
      <div className="card-pair">
        {evidence.season && <SeasonCard alert={alert} season={evidence.season} />}
        <People alert={alert} />
      </div>
      <Card
        title="Posts"
        note={
          <>
            {format.whole(evidence.posts_total)} · those that drive it first ·{" "}
            <Link className="text" to={exploreAddress({ q: alert.query, ...episode })}>
              all in Explore
            </Link>
          </>
        }
      >
        {evidence.posts.length === 0 ? (
          <Empty title="No posts">A drop has none: what is missing cannot be shown.</Empty>
        ) : (
          <PostList posts={evidence.posts.map(lineOfEvidence)} now={now} label="Posts that drive the alert" />
        )}
      </Card>
      <div className="card-pair">
        <Activity alert={alert} now={now} />
        <Similar alert={alert} now={now} />
      </div>
      <Footer alert={alert} />
    </>
  );
}

/** One alert: what is unusual, whether it holds, what drives it, and the posts themselves. */
export default function AlertPage({ id }: { id: string }) {
  const answer = useAlert(id);
  const clock = useStatus().data?.clock;
  const alert = answer.data;
  const now = clock ?? alert?.updated_at ?? Date.now();
  useTitle(alert?.tracker_name ?? "Alert");
  return (
    <>
      <p className="crumbs small muted">
        <Link to="/" className="quiet">
          Live
        </Link>{" "}
        / Alerts
        {alert && (
          <>
            {" / "}
            <Link to={`/trackers/${alert.tracker}`} className="quiet">
              {alert.tracker_name}
            </Link>
          </>
        )}
      </p>
      {alert ? (
        <>
          <header className="page-head page-head-sentence">
            <Sentence alert={alert} now={now} />
            <Actions alert={alert} now={now} />
          </header>
          <Evidence alert={alert} now={now} />
        </>
      ) : answer.error instanceof Problem && answer.error.status === 404 ? (
        <>
          <h1>No such alert</h1>
          <Empty title="The address names an alert that this home does not have.">
            <ButtonLink to="/">To Live</ButtonLink>
          </Empty>
        </>
      ) : (
        <>
          <h1 className="hidden">Alert</h1>
          {answer.error ? <ErrorNote error={answer.error} retry={() => void answer.refetch()} /> : <Loading rows={8} />}
        </>
      )}
    </>
  );
}
