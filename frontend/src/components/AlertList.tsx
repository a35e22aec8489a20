import type { AlertSummary } from "../api/types";
import * as format from "../lib/format";
import { Link } from "../lib/router";
import { Time } from "./base";

/** Verdicts as people say them. */
export const VERDICTS = { real: "Real", false: "False alarm", known: "Known event" } as const;

const PHASES: Record<AlertSummary["phase"], string> = {
  growing: "still growing",
  peak: "at its peak",
  fading: "fading",
  closed: "over",
};

/** How far an alert is from the usual, in a few words: `6.3× expected, still growing`. */
export function strength(alert: AlertSummary): string {
  // The rule that does not wait for a window: there is nothing to compare one post with.
  if (alert.window_s === 0) return `a post of great reach, ${PHASES[alert.phase]}`;
  const times = alert.ratio === null ? `${format.count(alert.observed)} posts, none expected` : format.ratio(alert.ratio);
  const what = alert.direction === "drop" ? `drop to ${times}` : alert.ratio === null ? times : `${times} expected`;
  return `${what}, ${PHASES[alert.phase]}`;
}

function base(alert: AlertSummary): string {
  return alert.detail || `${format.counted(alert.posts, "posts")} · ${format.counted(alert.authors, "authors")}`;
}

/** What people did with it, in a word each. */
function life(alert: AlertSummary, now: format.Moment): string[] {
  const done: string[] = [];
  if (alert.verdict) done.push(VERDICTS[alert.verdict].toLowerCase());
  else if (alert.acknowledged_at) done.push(alert.acknowledged_by ? `seen by ${alert.acknowledged_by}` : "acknowledged");
  const until = alert.snoozed_until;
  if (until && Date.parse(until) > new Date(now).getTime()) done.push(`snoozed until ${format.clock(until, now)}`);
  if (alert.comments) done.push(format.counted(alert.comments, "comments"));
  return done;
}

/** One line of the list: an alert, and the others that were raised by mostly the same posts. */
export interface AlertLine {
  alert: AlertSummary;
  others: AlertSummary[];
}

/** Alerts of one group become one line, at the place of the newest; it is told by the one that is open, or came first. */
export function linesOf(alerts: readonly AlertSummary[]): AlertLine[] {
  const lines = new Map<string, AlertSummary[]>();
  for (const alert of alerts) {
    const key = alert.group ?? alert.id;
    const known = lines.get(key);
    if (known) known.push(alert);
    else lines.set(key, [alert]);
  }
  return [...lines].map(([key, members]) => {
    const rank = (one: AlertSummary) => Number(one.closed_at !== null) * 2 + Number(one.id !== key);
    const [alert, ...others] = [...members].sort((a, b) => rank(a) - rank(b));
    return { alert: alert as AlertSummary, others };
  });
}

interface AlertListProps {
  alerts: readonly AlertSummary[];
  now: format.Moment;
}

/** Alerts, newest first; those that are over step back. */
export function AlertList({ alerts, now }: AlertListProps) {
  return (
    <ul className="rows">
      {linesOf(alerts).map(({ alert, others }) => (
        <li key={alert.id} className="row">
          <Link to={`/alerts/${alert.id}`} className={`alert ${alert.closed_at ? "alert-over" : ""}`} data-row>
            <span className="alert-name">
              <span className="strong">{alert.tracker_name}</span>
              {others.length > 0 && (
                <span className="small muted" title={others.map((other) => other.tracker_name).join(", ")}>
                  {" "}
                  and {format.whole(others.length)} more by the same posts
                </span>
              )}
            </span>
            <span className="alert-time small muted">
              <Time at={alert.opened_at} now={now} />
            </span>
            <span className={alert.closed_at ? "" : "unusual"}>{strength(alert)}</span>
            <span className="small muted" title={format.rarity(alert.return_days)}>
              {base(alert)}
            </span>
            {life(alert, now).length > 0 && <span className="small">{life(alert, now).join(" · ")}</span>}
          </Link>
        </li>
      ))}
    </ul>
  );
}
