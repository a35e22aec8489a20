import { useState } from "react";
import { isOver, useBacktest, useCancelBacktest, useStartBacktest } from "../api/backtests";
import { Problem } from "../api/client";
import type { Alert, BacktestJob, BacktestResult, Candidate } from "../api/types";
import { alertsAt, firedAt, windowsOf } from "../lib/backtest";
import * as format from "../lib/format";
import { windowAddress } from "../lib/queryState";
import { navigate } from "../lib/router";
import { Button, Card, Empty, Tag, Time } from "./base";
import { Checks } from "./Checks";
import { Drivers } from "./Drivers";
import { SeriesChart } from "./SeriesChart";
import { ErrorNote } from "./states";

interface BacktestProps {
  query: string;
  promise: number;
  country: string;
  followers: number | null;
  /** A fraction. */
  share: number | null;
  onPromise: (days: number) => void;
}

const SPANS = [30, 90, 365] as const;

/** What the query would have alerted about in what lies in the lake, before anybody relies on it. */
export function Backtest({ query, promise, country, followers, share, onPromise }: BacktestProps) {
  const [days, setDays] = useState<number>(90);
  const [id, setId] = useState<string | null>(null);
  const start = useStartBacktest();
  const cancel = useCancelBacktest();
  const job = useBacktest(id).data;
  const running = start.isPending || (job !== undefined && !isOver(job));
  const begin = () =>
    start.mutate(
      { query, days, promise_days: promise, country: country || null, platforms: [], reach_followers: followers, reach_share: share },
      { onSuccess: (begun) => setId(begun.id) },
    );
  const result = job?.result ?? null;
  const asked = job?.request;
  const other =
    asked &&
    (asked.query !== query ||
      (asked.country ?? "") !== country ||
      (asked.reach_followers ?? null) !== followers ||
      (asked.reach_share ?? null) !== share);
  return (
    <Card title="What it would have done" note="the same detector over what was imported and received">
      <div className="backtest-bar">
        <label className="small">
          <span>Over the last</span>{" "}
          <select value={days} onChange={(event) => setDays(Number(event.target.value))}>
            {SPANS.map((span) => (
              <option key={span} value={span}>
                {span} days
              </option>
            ))}
          </select>
        </label>
        <Button disabled={!query || running} onClick={begin}>
          {result ? "Test again" : "Test on the past"}
        </Button>
        {running && job && <Button onClick={() => cancel.mutate(job.id)}>Stop</Button>}
      </div>
      {start.error && !(start.error instanceof Problem && start.error.fault) && <ErrorNote error={start.error} />}
      {running && job && <Progress job={job} />}
      {job && job.state === "failed" && <Failed job={job} />}
      {job && job.state === "cancelled" && <p className="muted">Stopped.</p>}
      {result && !running && other && <p className="banner banner-caution">This was another query or rule; test it again to see what this one would have done.</p>}
      {result && !running && <Result result={result} promise={promise} onPromise={onPromise} />}
    </Card>
  );
}

function Progress({ job }: { job: BacktestJob }) {
  const done = job.progress ?? 0;
  return (
    <div className="progress" role="status">
      <progress max="1" value={job.progress ?? undefined} aria-label="How far the test is" />
      <p className="small muted">
        {job.doing ?? "waiting for its turn"}
        {job.progress !== null && ` · ${format.percent(done)}`}
      </p>
    </div>
  );
}

function Failed({ job }: { job: BacktestJob }) {
  return (
    <div className="error-note" role="alert">
      <p className="strong">{job.error ?? "The test failed."}</p>
      {job.hint && <p className="muted">{job.hint}</p>}
    </div>
  );
}

interface ResultProps {
  result: BacktestResult;
  promise: number;
  onPromise: (days: number) => void;
}

function Result({ result, promise, onPromise }: ResultProps) {
  const fired = firedAt(result.candidates, promise);
  const number = alertsAt(result.by_promise, promise) ?? fired.length;
  if (result.series === null || result.since === null) {
    return (
      <Empty title="There is no past to test it on">
        {result.notes.map((note) => (
          <p key={note}>{note}</p>
        ))}
      </Empty>
    );
  }
  const { window_s: countedS, every } = result.series;
  const { windows, windowS } = windowsOf(result.series);
  return (
    <div className="stack">
      <p className="backtest-sentence">
        With this promise it would have alerted <strong className={number > 0 ? "unusual" : ""}>{times(number)}</strong> in{" "}
        {format.duration(result.days * 86_400)}
        <span className="muted">
          {" "}
          · {format.whole(result.posts)} of {format.counted(result.stream_posts, "posts")} match
          {result.reach_alerts !== null && ` · ${times(result.reach_alerts)} at once, about a post of great reach`}
        </span>
      </p>
      <SeriesChart
        label={`Posts that match, with ${format.whole(fired.length)} alerts`}
        windows={windows}
        windowS={windowS}
        now={result.until}
        marks={fired.map((candidate) => ({ at: candidate.opened_at, says: `alert ${format.clock(candidate.opened_at, result.until)}` }))}
        onOpen={(window) => navigate(windowAddress(result.query, window.counted ?? window, countedS))}
      />
      {every > 1 && (
        <p className="note">
          posts per {format.windowSpan(countedS)}, of every {format.whole(every)} the rarest
        </p>
      )}
      <Promises result={result} promise={promise} onPromise={onPromise} />
      {result.notes.length > 0 && (
        <ul className="note notes">
          {result.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      {fired.length > 0 && (
        <ul className="rows" aria-label="Alerts that would have been raised">
          {fired.map((candidate) => (
            <Fired
              key={`${candidate.started_at} ${candidate.window_s} ${candidate.signal}`}
              candidate={candidate}
              alert={result.alerts.find((alert) => overlaps(alert, candidate))}
              until={result.until}
            />
          ))}
        </ul>
      )}
      <p className="note">
        Learned from {format.duration(result.learned_days * 86_400)} before; {format.whole(result.alerts.length)} cards are of a promise of{" "}
        {format.whole(result.promise_days)} days. Took {result.seconds.toFixed(1)} s
        {result.lake_version !== null && `, lake version ${format.whole(result.lake_version)}`}.
      </p>
    </div>
  );
}

function times(number: number): string {
  if (number === 0) return "never";
  if (number === 1) return "once";
  return number === 2 ? "twice" : `${format.whole(number)} times`;
}

/** An alert of the asked promise is the card of the candidate in whose time it falls. */
function overlaps(alert: Alert, candidate: Candidate): boolean {
  const end = candidate.closed_at ?? alert.opened_at;
  return alert.started_at <= end && alert.opened_at >= candidate.started_at;
}

/** How the number of alerts changes with the promise; each bar sets it. */
function Promises({ result, promise, onPromise }: ResultProps) {
  const counts = [...result.by_promise].sort((a, b) => a.promise_days - b.promise_days);
  const most = Math.max(1, ...counts.map((count) => count.alerts));
  return (
    <div className="promises">
      <h3>Alerts with other promises</h3>
      <ul>
        {counts.map((count) => (
          <li key={count.promise_days}>
            <button
              type="button"
              className="promise-bar"
              aria-pressed={count.promise_days === promise}
              title={`${format.expectation(count.per_30_days)} in 30 days`}
              onClick={() => onPromise(count.promise_days)}
            >
              <span className="promise-fill" style={{ height: `${(count.alerts / most) * 100}%` }} aria-hidden="true" />
              <span className="number">{format.whole(count.alerts)}</span>
              <span className="note">
                {format.whole(count.promise_days)} d<span className="hidden"> promise</span>
              </span>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

interface FiredProps {
  candidate: Candidate;
  alert: Alert | undefined;
  until: string;
}

/** One alert that would have been raised; opens to its card where it has one. */
function Fired({ candidate, alert, until }: FiredProps) {
  const [open, setOpen] = useState(false);
  const lasted = candidate.closed_at ? (Date.parse(candidate.closed_at) - Date.parse(candidate.started_at)) / 1000 : null;
  return (
    <li className="row">
      <button type="button" className="fired" data-row aria-expanded={open} disabled={!alert} onClick={() => setOpen(!open)}>
        <span className="small muted">
          <Time at={candidate.opened_at} now={until} />
        </span>
        <span>
          <span className="strong">{candidate.headline}</span>
          <span className="small muted fired-base">
            {format.expectation(candidate.observed)} against {format.expectation(candidate.expected)} expected per{" "}
            {format.windowSpan(candidate.window_s)} · {lasted === null ? "not over at the end" : `lasted ${format.duration(lasted)}`}
          </span>
        </span>
        <Tag tone="unusual">{format.rarity(candidate.return_days)}</Tag>
      </button>
      {open && alert && (
        <div className="fired-card">
          <Checks alert={alert} past={false} />
          <Drivers alert={alert} />
        </div>
      )}
    </li>
  );
}
